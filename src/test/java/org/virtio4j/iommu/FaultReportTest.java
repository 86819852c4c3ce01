// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.hostile.RawRing;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Section 5.13.6.9, fault reporting. */
class FaultReportTest extends IommuTests {

    /** How many faults wait for a buffer; what the product promises, not what the specification asks. */
    private static final int PENDING = 64;

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.9 rule 50: reserved fields and undefined flags are 0, byte for byte")
    void shouldWriteReportByteForByte(Access access) {
        IommuMachine machine = start();
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        machine.touch(NIC, 0x8877_6655_4433_2211L, access);
        byte flag = (byte) (access == Access.READ ? 1 : 2);
        byte[] expected = {1, 0, 0, 0, flag, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0,
            0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, (byte) 0x88};
        Reply event = machine.takeEvents().getFirst();
        assertEquals(Spec.FAULT_SIZE, event.usedLength());
        assertArrayEquals(expected, event.writable());
    }

    @Test
    @DisplayName("5.13.6.9 rule 51: the report names endpoint, address and access, which is all it can")
    void shouldNameEndpointAndAddress() {
        IommuMachine machine = start();
        machine.addEventBuffers(8, Spec.FAULT_SIZE);
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000, Spec.MAP_F_READ));
        machine.touch(DISK, 0x1000, Access.READ);
        machine.touch(NIC, 0x2fff, Access.WRITE);
        machine.touch(NIC, 0x1ffe, Access.WRITE);
        machine.touch(NIC, 0x1ffe, Access.READ);
        machine.touch(DISK, -1, Access.WRITE);
        assertEvents(machine.takeEvents(),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1000),
                event(Spec.FAULT_R_MAPPING, Spec.FAULT_F_WRITE, NIC, 0x2fff),
                event(Spec.FAULT_R_MAPPING, Spec.FAULT_F_WRITE, NIC, 0x1ffe),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_WRITE, DISK, -1));
        assertEquals(4, machine.iommu().counters().reportedFaults());
    }

    @Test
    @DisplayName("5.13.6.9: each way to be refused has its reason")
    void shouldTellReason() {
        IommuMachine machine = start(VirtioIommu.builder().endpoint(DISK, ReservedRegions.X86_MSI));
        machine.addEventBuffers(16, Spec.FAULT_SIZE);
        machine.touch(DISK, 0x1000, Access.READ);
        machine.ok(Requests.attachBypass(ONE, DISK));
        machine.touch(DISK, 0x1000, Access.READ);
        machine.ok(Requests.attach(TWO, DISK));
        machine.touch(DISK, 0x1000, Access.READ);
        machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0x8000, Spec.MAP_F_WRITE));
        machine.touch(DISK, 0x1001, Access.READ);
        machine.touch(DISK, 0xfee0_0000L, Access.READ);
        machine.touch(DISK, 0xfee0_0000L, Access.WRITE);
        machine.ok(Requests.detach(TWO, DISK));
        machine.writeBypass(0);
        machine.touch(DISK, 0x1002, Access.READ);
        assertEvents(machine.takeEvents(),
                event(Spec.FAULT_R_MAPPING, Spec.FAULT_F_READ, DISK, 0x1000),
                event(Spec.FAULT_R_MAPPING, Spec.FAULT_F_READ, DISK, 0x1001),
                event(Spec.FAULT_R_MAPPING, Spec.FAULT_F_READ, DISK, 0xfee0_0000L),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1002));
    }

    @Test
    @DisplayName("5.13.6.9: an endpoint that a reset left blocked is in no domain")
    void shouldTellDomainWhenBlockedByReset() {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.dma(DISK);
        machine.resetDevice();
        machine.start();
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        machine.touch(DISK, 0x1000, Access.WRITE);
        assertEvents(machine.takeEvents(), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_WRITE, DISK, 0x1000));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 16, 23})
    @DisplayName("5.13.6.9 rule 52: a buffer too small goes back unused, and the report into the next one")
    void shouldSkipBufferWhenItIsTooSmall(int size) {
        IommuMachine machine = start();
        machine.addEventBuffers(2, size);
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        machine.touch(DISK, 0x1000, Access.READ);
        List<Reply> events = machine.takeEvents();
        assertEquals(3, events.size());
        Reply.assertUnanswered(events.get(0));
        Reply.assertUnanswered(events.get(1));
        assertEvents(events.subList(2, 3), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1000));
    }

    @Test
    @DisplayName("5.13.6.9 rule 52: of a buffer that is larger than a report the rest is not touched")
    void shouldNotTouchRestOfLargerBuffer() {
        IommuMachine machine = start();
        machine.addEventBuffers(1, 40);
        machine.touch(DISK, 0x1000, Access.READ);
        byte[] expected = new byte[40];
        Arrays.fill(expected, Reply.UNTOUCHED);
        System.arraycopy(event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1000), 0, expected, 0, Spec.FAULT_SIZE);
        Reply event = machine.takeEvents().getFirst();
        assertEquals(Spec.FAULT_SIZE, event.usedLength());
        assertArrayEquals(expected, event.writable());
    }

    @Test
    @DisplayName("5.13.6.9 rule 53, choice: without a buffer faults wait, and come in order when buffers come")
    void shouldWaitWhenThereIsNoBuffer() {
        IommuMachine machine = start();
        for (int i = 0; i < 3; i++) {
            machine.touch(DISK, 0x1000 + i, Access.READ);
        }
        assertEquals(0, machine.iommu().counters().reportedFaults());
        machine.addEventBuffers(2, Spec.FAULT_SIZE);
        assertTrue(machine.driver().kick(machine.events()), "the device must want to hear of buffers");
        assertEvents(machine.takeEvents(), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1000),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1001));
        machine.addEventBuffers(2, Spec.FAULT_SIZE);
        machine.touch(NIC, 0x5000, Access.READ);
        assertEvents(machine.takeEvents(), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1002),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, NIC, 0x5000));
    }

    @Test
    @DisplayName("5.13.6.9 rule 53, choice: 64 faults wait, the rest is dropped and counted")
    void shouldCountAsLostWhenTooManyWait() {
        IommuMachine machine = start();
        for (int i = 0; i < PENDING + 10; i++) {
            machine.touch(DISK, i, Access.READ);
        }
        assertEquals(10, machine.iommu().counters().lostFaults());
        machine.addEventBuffers(PENDING, Spec.FAULT_SIZE);
        machine.driver().kick(machine.events());
        List<Reply> events = machine.takeEvents();
        assertEquals(PENDING, events.size());
        for (int i = 0; i < PENDING; i++) {
            assertEvents(events.subList(i, i + 1), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, i));
        }
        assertEquals(PENDING, machine.iommu().counters().reportedFaults());
        assertEquals(10, machine.iommu().counters().lostFaults());
    }

    @Test
    @DisplayName("5.13.6.9 rule 53, choice: a fault like the one that waits before it is told once")
    void shouldTellOnceWhenFaultRepeatsWhileItWaits() {
        IommuMachine machine = start();
        for (int i = 0; i < 5; i++) {
            machine.touch(DISK, 0x1000, Access.READ);
        }
        machine.touch(DISK, 0x1000, Access.WRITE);
        machine.touch(NIC, 0x1000, Access.WRITE);
        machine.touch(DISK, 0x1000, Access.READ);
        assertEquals(4, machine.iommu().counters().repeatedFaults());
        machine.addEventBuffers(10, Spec.FAULT_SIZE);
        machine.driver().kick(machine.events());
        assertEvents(machine.takeEvents(), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1000),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_WRITE, DISK, 0x1000),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_WRITE, NIC, 0x1000),
                event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x1000));
    }

    @Test
    @DisplayName("5.13.6.9 rule 53: a queue that was filled without a kick is used")
    void shouldLookAtQueueWhenItWasFilledWithoutKick() {
        for (FeatureSet features : new FeatureSet[] {FeatureSet.of(32), FeatureSet.of(32, 29)}) {
            IommuMachine machine = powerOn(iommu()).start(features);
            machine.addEventBuffers(1, Spec.FAULT_SIZE);
            machine.touch(DISK, 0x1000, Access.READ);
            machine.addEventBuffers(1, Spec.FAULT_SIZE);
            machine.touch(DISK, 0x2000, Access.READ);
            assertEquals(2, machine.takeEvents().size());
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.9 rule 53, choice: a reset drops what waits")
    void shouldDropWhatWaitsWhenReset(ResetKind kind) {
        IommuMachine machine = start();
        machine.touch(DISK, 0x1000, Access.READ);
        machine.touch(DISK, 0x2000, Access.READ);
        machine.reset(kind);
        assertEquals(2, machine.iommu().counters().lostFaults());
        machine.start();
        machine.addEventBuffers(4, Spec.FAULT_SIZE);
        machine.driver().kick(machine.events());
        assertEquals(0, machine.takeEvents().size());
        machine.touch(DISK, 0x3000, Access.READ);
        assertEvents(machine.takeEvents(), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, DISK, 0x3000));
    }

    @Test
    @DisplayName("5.13.6.9 rule 53, choice: a fault that no driver can hear of is counted as lost")
    void shouldCountAsLostWhenThereIsNoDriver() {
        IommuMachine machine = powerOn(iommu());
        machine.touch(DISK, 0x1000, Access.READ);
        assertEquals(1, machine.iommu().counters().lostFaults());
    }

    @Test
    @DisplayName("5.13.6.9 rule 53: an error of no endpoint, a broken request queue, sets DEVICE_NEEDS_RESET")
    void shouldNeedResetWhenRequestQueueIsBroken() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.transport().takeInterrupts();
        RawRing ring = new RawRing(machine.requests().memory());
        ring.availableIndex(ring.availableIndex() + machine.requests().size() + 1);
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        assertEquals(64, machine.transport().status() & 64);
        assertEquals(2, machine.transport().takeInterrupts());
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        assertMapped(machine, DISK, 0x1000, 0x8000);
        // Faults are still reported, and a reset heals the device.
        machine.touch(DISK, 0x2000, Access.READ);
        assertEquals(1, machine.takeEvents().size());
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(0, machine.transport().status() & 64);
    }

    @Test
    @DisplayName("5.13.6.9: one section reports one fault, after it has ended")
    void shouldReportOneFaultAfterTheSection() {
        IommuMachine machine = start();
        machine.addEventBuffers(4, Spec.FAULT_SIZE);
        machine.dma(DISK).enter();
        Dma.write(machine.dma(DISK), 0x1000, 4, 0);
        Dma.write(machine.dma(DISK), 0x2000, 4, 0);
        assertEquals(0, machine.takeEvents().size());
        machine.dma(DISK).leave();
        assertEvents(machine.takeEvents(), event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_WRITE, DISK, 0x1000));
    }

    @Test
    @DisplayName("5.13.6.9: a report interrupts the guest once, and not at all when the driver wants none")
    void shouldInterruptOnceForEachReport() {
        IommuMachine machine = powerOn(iommu()).start(FeatureSet.of(32));
        machine.addEventBuffers(8, Spec.FAULT_SIZE);
        machine.touch(DISK, 0x1000, Access.READ);
        assertEquals(1, machine.interrupts());
        assertEquals(1, machine.transport().takeInterrupts());
        machine.touch(DISK, 0x1000, Access.READ);
        assertEquals(2, machine.interrupts());
        assertEquals(1, machine.transport().takeInterrupts());
        machine.events().disableUsedNotifications();
        machine.touch(DISK, 0x1000, Access.READ);
        assertEquals(2, machine.interrupts());
        assertEquals(0, machine.transport().takeInterrupts());
        assertEquals(3, machine.takeEvents().size());
    }

    @Test
    @DisplayName("5.13.6.9: the guest is interrupted under no lock, after the report is there")
    void shouldInterruptUnderNoLock() throws InterruptedException {
        IommuMachine machine = start();
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        int[] seen = new int[1];
        machine.onInterrupt(() -> Threads.runAndWait(() -> {
            machine.iommu().liveMappings();
            machine.iommu().endpointReset(DISK);
            machine.touch(NIC, 0x7000, Access.READ);
            machine.transport().readConfig(0, 8);
            seen[0] = machine.takeEvents().size();
        }));
        machine.touch(DISK, 0x1000, Access.READ);
        assertEquals(1, seen[0]);
    }

    @Test
    @DisplayName("5.13.6.9: faults of devices that fault at once are all told, each once")
    void shouldReportEachFaultWhenDevicesFaultAtOnce() {
        IommuMachine machine = start(iommu().queueSizes(256, 256));
        machine.addEventBuffers(200, Spec.FAULT_SIZE);
        machine.dma(DISK);
        machine.dma(NIC);
        Future<?> disk = Threads.start("disk", () -> fault(machine, DISK, 100));
        fault(machine, NIC, 100);
        Threads.join(disk);
        long[] next = new long[NIC + 1];
        for (Reply reply : machine.takeEvents()) {
            int endpoint = reply.writable()[8];
            byte[][] expected = {event(Spec.FAULT_R_DOMAIN, Spec.FAULT_F_READ, endpoint, next[endpoint]++)};
            assertEvents(List.of(reply), expected);
        }
        assertEquals(100, next[DISK]);
        assertEquals(100, next[NIC]);
    }

    private static void fault(IommuMachine machine, int endpoint, int times) {
        for (int i = 0; i < times; i++) {
            machine.touch(endpoint, i, Access.READ);
        }
    }

    private static void assertEvents(List<Reply> events, byte[]... expected) {
        assertEquals(expected.length, events.size());
        for (int i = 0; i < expected.length; i++) {
            assertEquals(Spec.FAULT_SIZE, events.get(i).usedLength());
            assertArrayEquals(expected[i], events.get(i).writable());
        }
    }

    /** A report with an address, which is what this device always writes. */
    private static byte[] event(int reason, int access, int endpoint, long address) {
        return ByteBuffer.allocate(Spec.FAULT_SIZE).order(ByteOrder.LITTLE_ENDIAN).putInt(reason)
                .putInt(access | Spec.FAULT_F_ADDRESS).putInt(endpoint).putInt(0).putLong(address).array();
    }
}
