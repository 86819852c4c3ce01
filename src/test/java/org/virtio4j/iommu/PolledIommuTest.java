// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.fixture.Allocations;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.vmm.Access;
import org.virtio4j.wire.FeatureBit;

/** Section 2.7.10, an IOMMU that is polled: requests and event buffers are found without a notification. */
class PolledIommuTest extends IommuTests {

    private static final int MANY = 10_000;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.10.1: a driver that looks sends no notification for 10,000 requests, and each is answered")
    void shouldNeverBeNotifiedByADriverThatLooks(boolean eventIdx) {
        IommuMachine machine = started(eventIdx, iommu());
        DriverQueue queue = machine.requests();
        assertFalse(machine.driver().kick(queue));
        serve(machine, Requests.attach(ONE, DISK));
        int notifications = 0;
        for (int i = 0; i < MANY / 2; i++) {
            long at = 0x1000L * (1 + i % 100);
            notifications += serve(machine, Requests.map(ONE, at, at + 0xfff, 0x8000));
            notifications += serve(machine, Requests.unmap(ONE, at, at + 0xfff));
        }
        assertEquals(0, notifications);
        assertEquals(0, machine.iommu().liveMappings());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("5.13.6.9: a fault that waits for a buffer gets one that came without a notification")
    void shouldReportFaultsIntoBuffersThatCameUnsaid(boolean eventIdx) {
        IommuMachine machine = started(eventIdx, iommu());
        serve(machine, Requests.attach(ONE, DISK));
        machine.touch(DISK, 0xdead000L, Access.READ);
        assertEquals(0, machine.pollDevice());
        assertTrue(machine.takeEvents().isEmpty());
        machine.addEventBuffers(2, 24);
        machine.events().publish();
        assertFalse(machine.events().kickNeeded());
        assertEquals(1, machine.pollDevice());
        assertEquals(1, machine.takeEvents().size());
        assertEquals(0, machine.pollDevice(), "there is a buffer, but nothing to say");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("A notification that comes all the same is served in the kick, and does not turn others on")
    void shouldServeInTheKickToo(boolean eventIdx) {
        IommuMachine machine = started(eventIdx, iommu());
        add(machine, 0, Requests.attach(ONE, DISK));
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        assertTrue(machine.requests().poll());
        assertEquals(Spec.OK, machine.take(Spec.TAIL).status());
        assertEquals(0, serve(machine, Requests.map(ONE, 0, 0xfff, 0x8000)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("A poll that finds nothing waits for no lock of the IOMMU's, and one beside a kick leaves it alone")
    void shouldNotWaitForWhoServes(boolean eventIdx) {
        CountDownLatch serving = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        IommuMachine machine = started(eventIdx, iommu().listener(WhenServed.does((type, status, removed) -> {
            serving.countDown();
            Threads.await(goOn);
        })));
        add(machine, 0, Requests.attach(ONE, DISK));
        Future<?> kick = Threads.start("kick", () -> machine.transport().notifyQueue(IommuMachine.REQUESTS));
        Threads.await(serving);
        add(machine, 1, Requests.attach(ONE, NIC));
        assertEquals(0, machine.pollDevice());
        goOn.countDown();
        Threads.join(kick);
        int ignored = machine.pollDevice();
        assertTrue(machine.requests().poll());
        assertTrue(machine.requests().poll());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("A poll allocates nothing, whether it finds a request or not")
    void shouldAllocateNothing(boolean eventIdx) {
        IommuMachine machine = started(eventIdx, iommu().linger(Duration.ofMillis(100)));
        Allocations.assertNone(5_000, machine::pollDevice);
        byte[] request = Requests.attach(ONE, DISK);
        machine.place(0, request, Spec.TAIL);
        Allocations.assertNone(1_000, () -> {
            machine.add(0, request, Spec.TAIL);
            machine.requests().publish();
            int found = machine.pollDevice();
            if (found != 1 || !machine.requests().poll()) {
                throw new AssertionError("not answered");
            }
        });
    }

    private IommuMachine started(boolean eventIdx, VirtioIommuBuilder builder) {
        IommuMachine machine = powerOn(builder.polled());
        return machine.start(eventIdx ? machine.offered() : machine.offered().without(FeatureBit.EVENT_IDX));
    }

    /** Has a request served by the poll; 1 if the driver would have notified. */
    private static int serve(IommuMachine machine, byte[] request) {
        add(machine, 0, request);
        int notified = machine.requests().kickNeeded() ? 1 : 0;
        assertEquals(1, machine.pollDevice());
        assertTrue(machine.requests().poll());
        assertEquals(Spec.OK, machine.take(Spec.TAIL).status());
        return notified;
    }

    private static void add(IommuMachine machine, int slot, byte[] request) {
        machine.place(slot, request, Spec.TAIL);
        machine.add(slot, request, Spec.TAIL);
        machine.requests().publish();
    }
}
