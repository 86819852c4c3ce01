// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.SoleOwner;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.LoopedDevice;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.GuestMemory;

/** A device beside its own work: asleep, failing by its own mistake, and given to another after a long close. */
class DeviceWithWorkTest {

    private static final int RAM = 1 << 20;
    private static final long DATA = 0x8_0000;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    @DisplayName("PM 5.4.1: buffers that were there before D3hot are used after it, without a further notification")
    void shouldReportAFaultIntoABufferOfBeforeTheSleep() {
        VirtioIommu iommu = VirtioIommu.builder().endpoint(8).bootBypass(false).maxMappings(16).build();
        RawFunction raw = new RawFunction(iommu, DmaSpace.identity(memory), memory, 0x1000, () -> { });
        raw.start(true);
        for (int i = 0; i < 3; i++) {
            raw.ring(1).chain(i, Buffer.writable(DATA + 64L * i, 24));
            raw.ring(1).offer(i);
        }
        raw.doorbell(1);
        fault(iommu, 0x1000);
        assertEquals(1, raw.ring(1).usedIndex(), "before");
        power(raw.function, 3);
        power(raw.function, 0);
        fault(iommu, 0x20_0000);
        assertEquals(2, raw.ring(1).usedIndex(), "after");
        raw.function.close();
        iommu.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8})
    @DisplayName("PM 5.4.1: what is at work when the function falls asleep is given back when it is awake")
    void shouldGiveBackWhatWasAtWorkBeforeTheSleep(int count) {
        SleepyWork device = new SleepyWork();
        RawFunction raw = new RawFunction(device, DmaSpace.identity(memory), memory, 0x1000, () -> { });
        device.sleep = () -> power(raw.function, 3);
        raw.start(false);
        for (int i = 0; i < count; i++) {
            raw.ring(0).chain(i, Buffer.writable(DATA + 64L * i, 24));
            raw.ring(0).offer(i);
        }
        raw.doorbell(0);
        assertEquals(0, raw.ring(0).usedIndex(), "asleep");
        power(raw.function, 0);
        assertEquals(count, raw.ring(0).usedIndex(), "awake");
        assertEquals("", raw.function.needsResetReason());
        raw.function.close();
    }

    private void fault(VirtioIommu iommu, long iova) {
        try (DmaHandle dma = DmaSpace.of(memory, iommu.translator(8)).open("disk")) {
            dma.enter();
            dma.read(iova, MemorySegment.ofArray(new byte[8]), 0, 8);
            dma.leave();
        }
    }

    private static void power(VirtioPciFunction function, int state) {
        long at = function.readConfig(0x34, 1);
        while (function.readConfig(at, 1) != 1) {
            at = function.readConfig(at + 1, 1);
        }
        function.writeConfig(at + 4, 2, state);
    }

    @Test
    @DisplayName("an InternalError of a device's own work comes out, and is not told as memory that was cut short")
    void shouldHandOutAnInternalErrorOfTheWork() {
        Throwing device = new Throwing();
        RawFunction raw = new RawFunction(device, DmaSpace.identity(memory), memory, 0x1000, () -> { });
        raw.start(true);
        raw.ring(0).chain(0, Buffer.writable(DATA, 24));
        raw.ring(0).offer(0);
        InternalError thrown = assertThrows(InternalError.class, () -> raw.doorbell(0));
        assertEquals("mine", thrown.getMessage());
        assertFalse(raw.function.needsResetReason().contains("cut short"), raw.function.needsResetReason());
        raw.function.close();
    }

    @Test
    @DisplayName("2.4.2: a device whose function was closed while it was at work is free when the work is done")
    void shouldBeFreeOnceTheWorkOfAClosedFunctionIsDone() {
        Throwing device = new Throwing();
        device.idle = false;
        VirtioPciFunction first = VirtioPciFunction.of(device, DmaSpace.identity(memory), PciInterrupts.messages());
        first.close();
        device.idle = true;
        VirtioMmioDevice second = VirtioMmioDevice.of(device, DmaSpace.identity(memory), level -> { });
        first.close();
        assertThrows(IllegalStateException.class,
                () -> VirtioMmioDevice.of(device, DmaSpace.identity(memory), level -> { }), "the second has it");
        second.close();
        VirtioMmioDevice.of(device, DmaSpace.identity(memory), level -> { }).close();
    }

    /** Sends its own function to sleep when it is at work for the first time. */
    private static final class SleepyWork extends Throwing {

        private Runnable sleep = () -> { };

        @Override
        public boolean work(int count, QueueLoop served) {
            sleep.run();
            sleep = () -> { };
            return true;
        }

        @Override
        public boolean answer(int slot, Chain chain) {
            return chain.write(0, MemorySegment.ofArray(new byte[24]), 0, 24) == DmaResult.OK;
        }
    }

    private static class Throwing extends LoopedDevice {
        private final SoleOwner owner = new SoleOwner();
        private final QueueLoop loop = new QueueLoop(0, this);
        volatile boolean idle = true;

        @Override
        public void take(int slot, Chain chain) {
            // There is nothing to remember.
        }

        @Override
        public boolean work(int count, QueueLoop served) {
            throw new InternalError("mine");
        }

        @Override
        public boolean answer(int slot, Chain chain) {
            return true;
        }

        @Override
        public SoleOwner owner() {
            return owner;
        }

        @Override
        protected QueueLoop loop() {
            return loop;
        }

        @Override
        public boolean isIdle(int queue) {
            return idle && loop.isIdle();
        }
    }
}
