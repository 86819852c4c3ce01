// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.fixture.WriteOnlyPages;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/**
 * Section 2.7.5.1: a device does not read a device-writable buffer. What devices write to lies in pages that refuse to
 * be read, and say so.
 */
@ParameterizedClass
@EnumSource(names = {"MMIO", "PCI"})
class WriteOnlyBufferTest {

    private static final int ENDPOINT = 8;
    private static final int DOMAIN = 1;
    private static final int SECTOR = 512;
    private static final int TAIL = 4;
    private static final int PROBE_SIZE = 128;
    private static final int FAULT = 24;
    private static final long RAM = 4 << 20;
    private static final int ROOM = 1 << 16;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    @TempDir
    @Nullable Path folder;

    private final GuestMemory memory = new GuestMemory();
    private final GuestRam ram;
    private final GuestBuffer readable;
    private final GuestBuffer writable;
    private final WriteOnlyPages pages = new WriteOnlyPages();
    private final List<DriverQueue> queues = new ArrayList<>();
    private GuestKind.@Nullable Connection connection;
    private @Nullable VirtioDriver driver;

    WriteOnlyBufferTest() {
        memory.addAnonymous(0, RAM);
        ram = new GuestRam(memory, 1 << 20, RAM - (1 << 20));
        readable = ram.buffer(ROOM, GuestMemory.PAGE_SIZE);
        writable = ram.buffer(ROOM, GuestMemory.PAGE_SIZE);
        pages.add(writable);
    }

    @AfterEach
    void close() {
        Objects.requireNonNull(connection).reset().accept(ResetKind.SYSTEM);
        memory.close();
    }

    @Test
    @DisplayName("2.7.5.1: a disk reads neither data that it fills nor a status")
    void shouldNotReadWhatADiskWrites() throws IOException {
        Path file = Objects.requireNonNull(folder).resolve("disk.img");
        Files.write(file, new byte[8 * SECTOR]);
        try (VirtioBlock disk = VirtioBlock.builder(file).servedInKicks().build()) {
            start(disk);
            assertEquals(SECTOR + 1, send(DiskRequests.in(1), SECTOR + 1));
            assertEquals(1, send(DiskRequests.out(1, new byte[SECTOR]), 1));
            assertEquals(1, send(DiskRequests.flush(), 1));
            assertEquals(21, send(DiskRequests.header(DiskRequests.GET_ID, 0), 21));
            send(DiskRequests.ranges(DiskRequests.DISCARD, new DiskRequests.Range(0, 8, 0)), 1);
            send(DiskRequests.ranges(DiskRequests.WRITE_ZEROES, new DiskRequests.Range(0, 8, 0)), 1);
            send(DiskRequests.in(100), SECTOR + 1);
            send(DiskRequests.in(0), 2 * SECTOR);
            send(DiskRequests.header(77, 0), 100);
            send(new byte[3], 100);
            assertEquals(0, pages.reads());
            assertTrapWorks(DiskRequests.in(1), 1);
            Objects.requireNonNull(connection).reset().accept(ResetKind.SYSTEM);
        }
    }

    @Test
    @DisplayName("2.7.5.1: a source of entropy does not read what it fills")
    void shouldNotReadWhatEntropyFills() {
        start(new VirtioEntropy());
        for (int length : new int[] {1, 64, 5000}) {
            assertEquals(Math.min(4096, length), send(new byte[0], length));
        }
        assertEquals(0, pages.reads());
    }

    @Test
    @DisplayName("2.7.5.1: an IOMMU reads neither properties nor tails, whether it serves a request or refuses it")
    void shouldNotReadAnswersOfAnIommu() {
        start(iommu());
        assertEquals(TAIL, send(attach(), TAIL));
        assertEquals(TAIL, send(map(0x1000, 0x1fff), TAIL));
        assertEquals(TAIL, send(map(0x1000, 0x1fff), TAIL));
        assertEquals(TAIL, send(map(0x1001, 0x1fff), 100));
        assertEquals(TAIL, send(bytes(28).put(4, (byte) DOMAIN).put(0, (byte) 4).putLong(16, -1).array(), TAIL));
        assertEquals(PROBE_SIZE + TAIL, send(bytes(72).put(0, (byte) 5).putInt(4, ENDPOINT).array(),
                PROBE_SIZE + TAIL));
        assertEquals(PROBE_SIZE + TAIL, send(bytes(72).put(0, (byte) 5).putInt(4, 99).array(), PROBE_SIZE + TAIL));
        send(bytes(20).put(0, (byte) 9).array(), TAIL);
        send(new byte[0], TAIL);
        assertEquals(0, pages.reads());
        assertTrapWorks(attach(), TAIL);
    }

    @Test
    @DisplayName("2.7.5.1: an IOMMU does not read the buffers of its event queue")
    void shouldNotReadEventBuffers() {
        VirtioIommu iommu = iommu();
        start(iommu);
        send(attach(), TAIL);
        DriverQueue events = queues.get(1);
        for (int length : new int[] {FAULT, FAULT - 1, 100}) {
            assertTrue(events.add(length, 0, 0, writable.address() + 0x1000 + length * 100L, length));
        }
        events.publish();
        try (DmaHandle handle = DmaSpace.of(memory, iommu.translator(ENDPOINT)).open("endpoint")) {
            for (long iova = 0x5000; iova < 0x7000; iova += 0x1000) {
                handle.enter();
                handle.translate(iova, Access.READ, (start, end, physical, permitted) -> { });
                handle.leave();
            }
        }
        for (int length : new int[] {FAULT, 0, FAULT}) {
            assertTrue(events.poll());
            assertEquals(length, events.usedLength());
        }
        assertEquals(0, pages.reads());
    }

    /** If a device did read there, this test would see it. */
    private void assertTrapWorks(byte[] request, int writableLength) {
        writable.write(0x8000, request, 0, request.length);
        DriverQueue queue = queues.getFirst();
        assertTrue(queue.add(0, writable.address() + 0x8000, request.length, writable.address(), writableLength));
        Objects.requireNonNull(driver).kick(queue);
        assertTrue(queue.poll());
        assertNotEquals(0, pages.reads());
    }

    private void start(VirtioDevice device) {
        GuestKind.Connection made = kind.connect(device, DmaSpace.of(memory, pages), () -> { });
        connection = made;
        VirtioDriver fresh = new VirtioDriver(made.driver(), FeatureSet.offeredBy(made.driver()));
        driver = fresh;
        assertEquals(StartResult.OK, fresh.begin());
        for (int i = 0; i < device.info().queueCount(); i++) {
            DriverQueue queue = fresh.queue(i, QueueMemory.compact(ram, 16));
            queues.add(queue);
            assertEquals(StartResult.OK, fresh.enable(queue));
        }
        assertEquals(StartResult.OK, fresh.driverOk());
    }

    /** Sends a request on the first queue; returns how much was written. */
    private long send(byte[] request, int writableLength) {
        readable.write(0, request, 0, request.length);
        DriverQueue queue = queues.getFirst();
        long from = request.length == 0 ? 0 : readable.address();
        assertTrue(queue.add(0, from, request.length, writable.address(), writableLength));
        Objects.requireNonNull(driver).kick(queue);
        assertTrue(queue.poll());
        return queue.usedLength();
    }

    private static VirtioIommu iommu() {
        return VirtioIommu.builder().endpoint(ENDPOINT).reserved(ReservedRegions.X86_MSI).probeSize(PROBE_SIZE)
                .maxMappings(100).build();
    }

    private static byte[] attach() {
        return bytes(20).put(0, (byte) 1).putInt(4, DOMAIN).putInt(8, ENDPOINT).array();
    }

    private static byte[] map(long start, long end) {
        return bytes(36).put(0, (byte) 3).putInt(4, DOMAIN).putLong(8, start).putLong(16, end).putLong(24, 0x8000)
                .putInt(32, 3).array();
    }

    private static ByteBuffer bytes(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }
}
