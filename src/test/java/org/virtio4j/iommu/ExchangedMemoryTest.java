// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.vmm.Access;

/** Memory that is away while it is exchanged: what was asked for is done once, and the driver hears of it. */
class ExchangedMemoryTest extends IommuTests {

    private static final int RINGS = 0;
    private static final int DATA = 1;
    private static final int NEEDS_RESET = 0x40;

    private final AtomicBoolean going = new AtomicBoolean();
    private @Nullable ExchangedRam ram;
    private int maps;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.8.2: what is done while the ring is away, before or after it was given back, is published later")
    void shouldPublishAnswersWhenTheRingIsBack(boolean completed) {
        IommuMachine machine = machine(iommu().requestListener((type, status, removed) -> {
            countMap(type, status);
            if (!completed) {
                leave();
            }
        }).trafficListener(new Completed(() -> {
            if (completed) {
                leave();
            }
        })));
        machine.ok(Requests.attach(ONE, DISK));
        going.set(true);
        for (int i = 0; i < 3; i++) {
            long at = 0x10_0000L + i * 0x1000L;
            byte[] request = Requests.map(ONE, at, at + 0xfff, 0x8000);
            machine.place(i, request, Spec.TAIL);
            machine.add(i, request, Spec.TAIL);
        }
        machine.driver().kick(machine.requests());
        giveBack(machine, RINGS);
        for (int i = 0; i < 3; i++) {
            assertTrue(machine.requests().poll(), "an answer is missing");
            assertEquals(Spec.OK, machine.take(Spec.TAIL).status());
        }
        assertEquals(3, maps);
        assertEquals(3, machine.iommu().liveMappings());
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
        machine.ok(Requests.unmap(ONE, 0, -1));
    }

    @Test
    @DisplayName("A MAP that was taken but whose bytes are away is carried out once, when they are back")
    void shouldCarryOutOnceWhatCouldNotBeRead() {
        IommuMachine machine = machine(iommu().requestListener((type, status, removed) -> countMap(type, status)));
        machine.ok(Requests.attach(ONE, DISK));
        byte[] request = Requests.map(ONE, 0x1000, 0x1fff, 0x8000);
        long at = IommuMachine.REGION_BORDER;
        machine.ram().view(at, request.length).write(0, request, 0, request.length);
        assertTrue(machine.requests().add(0, at, request.length, at + 0x100, Spec.TAIL));
        ram().takeAway(DATA);
        machine.driver().kick(machine.requests());
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        machine.memoryChanged();
        assertEquals(0, maps);
        assertFalse(machine.requests().poll());
        giveBack(machine, DATA);
        assertTrue(machine.requests().poll());
        assertEquals(1, maps);
        assertEquals(1, machine.iommu().liveMappings());
        assertEquals(Spec.OK, machine.ram().u8(at + 0x100));
        machine.ok(Requests.unmap(ONE, 0, -1));
    }

    @Test
    @DisplayName("5.13.6.9: faults that came while the event queue was away are reported when it is back, each once")
    void shouldReportFaultsWhenTheEventQueueIsBack() {
        IommuMachine machine = machine(iommu());
        machine.ok(Requests.attach(ONE, DISK));
        machine.addEventBuffers(4, Spec.FAULT_SIZE);
        machine.dma(DISK);
        ram().takeAway(RINGS);
        machine.touch(DISK, 0x5000, Access.READ);
        machine.touch(DISK, 0x6000, Access.WRITE);
        giveBack(machine, RINGS);
        assertEquals(2, machine.takeEvents().size());
        machine.touch(DISK, 0x7000, Access.WRITE);
        assertEquals(1, machine.takeEvents().size());
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    private IommuMachine machine(VirtioIommuBuilder builder) {
        return keep(new IommuMachine(transport, builder.build(), memory ->
                ram = new ExchangedRam(memory, IommuMachine.REGION_BORDER, IommuMachine.RAM_END))).start();
    }

    private ExchangedRam ram() {
        return Objects.requireNonNull(ram);
    }

    private void countMap(int type, int status) {
        if (type == Spec.MAP && status == Spec.OK) {
            maps++;
        }
    }

    private void leave() {
        if (going.getAndSet(false)) {
            ram().takeAway(RINGS);
        }
    }

    private void giveBack(IommuMachine machine, int region) {
        assertFalse(going.get(), "nothing was taken away");
        ram().giveBack(region);
        machine.memoryChanged();
    }

    /** Runs something when answers were given back to the ring, and are not visible yet. */
    private record Completed(Runnable action) implements TrafficListener {

        @Override
        public void served(ServedRequest request) {
            if (request.type() == Spec.MAP) {
                action.run();
            }
        }

        @Override
        public void negotiated(Features accepted) {
            // Not what is watched.
        }

        @Override
        public void activated(int requestQueueSize, int eventQueueSize) {
            // Not what is watched.
        }

        @Override
        public void reset(ResetKind kind) {
            // Not what is watched.
        }

        @Override
        public void bypassWritten(boolean on) {
            // Not what is watched.
        }

        @Override
        public void kicked() {
            // Not what is watched.
        }

        @Override
        public void faulted(int endpoint, long iova, Access access) {
            // Not what is watched.
        }

        @Override
        public void reported(int reason, int flags, int endpoint, long address) {
            // Not what is watched.
        }
    }
}
