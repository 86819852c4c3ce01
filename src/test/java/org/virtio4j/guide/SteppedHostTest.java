// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.endpoint.BlockOutcome;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioBlockBuilder;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/**
 * The guide's adapter in an emulator of the kind that it is for: no interrupt is lost, whatever the controller loses
 * and wherever the devices work.
 */
class SteppedHostTest {

    private static final long RAM = 0x8000_0000L;
    private static final long RAM_SIZE = 16 << 20;
    private static final int DISK_SIZE = 1 << 20;
    private static final int DISK = 1;
    private static final int ENTROPY = 2;

    /** Who serves the disk. */
    enum Serving { POLLED, IN_KICKS, WORKERS }

    @Test
    @DisplayName("4.2.2: a cause that follows on an acknowledgement within one slice is raised in the next step")
    void shouldRaiseAgainWhenAControllerHasLostTheLevel() {
        SteppingEmulator emulator = new SteppingEmulator();
        try (GuestMemory memory = GuestMemory.anonymous(RAM, RAM_SIZE)) {
            MmioDriverTransport window = emulator.add(new VirtioEntropy(), DmaSpace.identity(memory));
            GuestRam ram = new GuestRam(memory, RAM, RAM_SIZE);
            VirtioDriver driver = new VirtioDriver(window, FeatureSet.of(FeatureBit.VERSION_1));
            assertEquals(StartResult.OK, driver.begin());
            DriverQueue queue = driver.queue(0, QueueMemory.pageAligned(ram, 8));
            assertEquals(StartResult.OK, driver.enable(queue));
            assertEquals(StartResult.OK, driver.driverOk());
            GuestBuffer buffer = ram.buffer(64, 64);
            int line = emulator.lineOf(window);
            ask(driver, queue, buffer);
            emulator.step();
            for (int i = 0; i < 3; i++) {
                assertEquals(line, emulator.controller().claim());
                assertEquals(1, window.takeInterrupts());
                assertTrue(queue.poll());
                ask(driver, queue, buffer);
                assertTrue(emulator.controller().isIdle());
                emulator.step();
                assertTrue(emulator.controller().isPending(line), "the line is high, and nobody says so any more");
            }
            assertEquals(1, window.takeInterrupts());
            emulator.step();
            assertTrue(emulator.controller().isIdle());
        }
    }

    private static void ask(VirtioDriver driver, DriverQueue queue, GuestBuffer buffer) {
        assertTrue(queue.add(0, 0, 0, buffer.address(), buffer.length()));
        assertTrue(driver.kick(queue));
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @DisplayName("4.2.2: no interrupt is lost while entropy is read in small pieces beside parallel disk readers")
    void shouldLoseNoInterruptOfAMixedLoad(Serving serving, @TempDir Path folder) throws IOException {
        byte[] content = new byte[DISK_SIZE];
        new Random(1).nextBytes(content);
        Path image = Files.write(folder.resolve("disk.img"), content);
        VirtioIommu iommu = VirtioIommu.builder().endpoint(DISK).endpoint(ENTROPY).build();
        try (GuestMemory memory = GuestMemory.anonymous(RAM, RAM_SIZE); VirtioBlock disk = disk(image, serving)) {
            SteppingEmulator emulator = new SteppingEmulator();
            MmioDriverTransport iommuWindow = emulator.add(iommu, DmaSpace.identity(memory));
            MmioDriverTransport diskWindow = emulator.add(disk, DmaSpace.of(memory, iommu.translator(DISK)));
            MmioDriverTransport entropyWindow = emulator.add(new VirtioEntropy(),
                    DmaSpace.of(memory, iommu.translator(ENTROPY)));
            SteppedGuest guest = new SteppedGuest(emulator, iommuWindow, new GuestRam(memory, RAM, RAM_SIZE));
            guest.readEntropy(entropyWindow, ENTROPY, 300);
            guest.readDisk(diskWindow, DISK, content, 2, 4);
            guest.begin();
            while (!guest.isDone()) {
                emulator.step();
                assertFalse(emulator.isLost(emulator.lineOf(entropyWindow)), "the entropy source's line");
                // A worker may have set the bit by now, and be on its way to the line.
                assertFalse(serving != Serving.WORKERS && emulator.isLost(emulator.lineOf(diskWindow)), "the disk's");
                assertFalse(serving != Serving.WORKERS && emulator.controller().isIdle(), "nobody goes on");
                guest.slice();
            }
            assertEquals(0, iommu.counters().reportedFaults() + iommu.counters().lostFaults());
            assertEquals(DISK_SIZE / 2048, disk.counters().outcomes(BlockOutcome.OK));
            diskWindow.writeStatus(0);
        }
    }

    private static VirtioBlock disk(Path image, Serving serving) throws IOException {
        VirtioBlockBuilder builder = VirtioBlock.builder(image).queues(2);
        return switch (serving) {
            case POLLED -> builder.polled().build();
            case IN_KICKS -> builder.servedInKicks().build();
            case WORKERS -> builder.build();
        };
    }
}
