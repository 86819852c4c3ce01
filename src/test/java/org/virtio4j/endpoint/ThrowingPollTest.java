// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** A device of an embedder's own whose poll throws. */
class ThrowingPollTest {

    private static final long BARS = 0x4000_0000L;
    private static final int SIZE = 1 << 20;

    private final GuestMemory memory = GuestMemory.anonymous(0, SIZE);
    private final GuestRam ram = new GuestRam(memory, 0, SIZE);
    private final Failing device = new Failing();

    private static final class Failing extends SilentDevice {

        private boolean failing = true;

        @Override
        public boolean isPolled() {
            return true;
        }

        @Override
        public int poll(int queue) {
            if (failing) {
                throw new IllegalStateException("poll of " + queue);
            }
            return 7;
        }
    }

    @Test
    @DisplayName("2.1.2: what a poll throws comes out of the window's, and the device needs a reset and says why")
    void shouldNeedAResetOverMmio() {
        VirtioMmioDevice window = VirtioMmioDevice.of(device, DmaSpace.identity(memory), level -> { });
        assertNeedsReset(MmioDriverTransport.of(window), window::poll, window::needsResetReason);
    }

    @Test
    @DisplayName("2.1.2: what a poll throws comes out of the function's, and the device needs a reset and says why")
    void shouldNeedAResetOverPci() {
        VirtioPciFunction function =
                VirtioPciFunction.of(device, DmaSpace.identity(memory), PciInterrupts.messages());
        PciBus bus = new PciBus(BARS, SIZE);
        bus.add(1, 0, function);
        DriverTransport transport = new PciHost(bus.ecam(), bus.memory(), BARS, SIZE).scan().getFirst();
        assertNeedsReset(transport, function::poll, function::needsResetReason);
    }

    private void assertNeedsReset(DriverTransport transport, IntSupplier poll, Supplier<String> reason) {
        start(transport);
        IllegalStateException thrown = assertThrows(IllegalStateException.class, poll::getAsInt);
        assertEquals("poll of 0", thrown.getMessage());
        assertTrue(reason.get().contains("poll of 0"), reason);
        device.failing = false;
        start(transport);
        assertEquals("", reason.get());
        assertEquals(7, poll.getAsInt());
    }

    private void start(DriverTransport transport) {
        VirtioDriver driver = new VirtioDriver(transport, FeatureSet.of(FeatureBit.VERSION_1));
        assertEquals(StartResult.OK, driver.begin());
        DriverQueue queue = driver.queue(0, QueueMemory.pageAligned(ram, 8));
        assertEquals(StartResult.OK, driver.enable(queue));
        assertEquals(StartResult.OK, driver.driverOk());
    }
}
