// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.IommuReaders;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.ReaderCount;
import org.virtio4j.wire.FeatureBit;

/** A device at work that is taken away, in the order of the guide and in the other one. */
class DeviceGoesTest {

    private static final long WINDOW = 0x4000_0000L;
    private static final int SIZE = 1 << 20;
    private static final int ID = 0x18;
    private static final PciAddress IOMMU = PciAddress.of("00:01.0");
    private static final PciAddress DEVICE = PciAddress.of("00:03.0");

    private final GuestMemory memory = GuestMemory.anonymous(0, SIZE);
    private final GuestRam ram = new GuestRam(memory, 0, SIZE);
    private final VirtioIommu iommu = VirtioIommu.builder().build();
    private final Machine machine = new Machine(Topology.of(IommuScope.of(IOMMU, List.of(DEVICE))));
    private final PciBus bus = new PciBus(WINDOW, SIZE);
    private final AtomicBoolean enough = new AtomicBoolean();

    DeviceGoesTest() {
        machine.add(IOMMU, VirtioPciFunction.of(iommu, DmaSpace.identity(memory), PciInterrupts.messages()));
    }

    @AfterEach
    void close() {
        machine.close();
        iommu.close();
        memory.close();
    }

    private VirtioPciFunction plug(VirtioEntropy device) {
        iommu.plug(ID, ReservedRegions.NONE);
        VirtioPciFunction function =
                VirtioPciFunction.of(device, DmaSpace.of(memory, iommu.translator(ID)), PciInterrupts.messages());
        machine.add(DEVICE, function);
        bus.add(3, 0, function);
        return function;
    }

    /** A guest that asks for random bytes all the time, and takes no notice of anything. */
    private Thread drive(GuestBuffer buffer) {
        VirtioDriver driver = new VirtioDriver(new PciHost(bus.ecam(), bus.memory(), WINDOW, SIZE).scan().getFirst(),
                FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM));
        assertEquals(StartResult.OK, driver.begin());
        DriverQueue queue = driver.queue(0, QueueMemory.pageAligned(ram, 8));
        assertEquals(StartResult.OK, driver.enable(queue));
        assertEquals(StartResult.OK, driver.driverOk());
        return Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                queue.add(1, 0, 0, buffer.address(), 64);
                driver.kick(queue);
                queue.poll();
            }
        });
    }

    private static void awaitBytes(GuestBuffer buffer) {
        while (isFilled(buffer, 0)) {
            Thread.onSpinWait();
        }
    }

    private static boolean isFilled(GuestBuffer buffer, int value) {
        byte[] found = new byte[64];
        byte[] expected = new byte[64];
        buffer.read(0, found, 0, found.length);
        Arrays.fill(expected, (byte) value);
        return Arrays.equals(found, expected);
    }

    @Test
    @DisplayName("20 devices go and others come in the guide's order, under load: no byte lands, and nothing is left")
    void shouldExchangeDevicesUnderLoad() throws InterruptedException {
        int inMemory = ReaderCount.of(memory.gracePeriods());
        int inIommu = IommuReaders.waitedFor(iommu);
        for (int i = 0; i < 20; i++) {
            GuestBuffer buffer = ram.buffer(64, 64);
            VirtioEntropy device = new VirtioEntropy();
            plug(device);
            enough.set(false);
            Thread guest = drive(buffer);
            awaitBytes(buffer);
            bus.remove(3, 0);
            machine.remove(DEVICE);
            buffer.fill(0, 64, 0x5a);
            Thread.sleep(1);
            assertTrue(isFilled(buffer, 0x5a));
            iommu.unplug(ID);
            enough.set(true);
            guest.join();
            assertTrue(isFilled(buffer, 0x5a));
        }
        assertEquals(inMemory, ReaderCount.of(memory.gracePeriods()));
        assertEquals(inIommu, IommuReaders.waitedFor(iommu));
    }

    @Test
    @DisplayName("The other order: unplugged while it is at work, a device stops with a fault, and no byte lands")
    void shouldStopTheQueueWhenUnpluggedFirst() throws InterruptedException {
        GuestBuffer buffer = ram.buffer(64, 64);
        VirtioPciFunction function = plug(new VirtioEntropy());
        Thread guest = drive(buffer);
        awaitBytes(buffer);
        iommu.unplug(ID);
        buffer.fill(0, 64, 0x5a);
        Thread.sleep(10);
        enough.set(true);
        guest.join();
        assertTrue(isFilled(buffer, 0x5a));
        assertFalse(function.needsResetReason().isEmpty());
        machine.systemReset();
        bus.remove(3, 0);
        machine.remove(DEVICE);
    }
}
