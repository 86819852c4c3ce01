// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.RequestHeader;
import org.virtio4j.wire.block.RequestStatus;
import org.virtio4j.wire.block.RequestType;
import org.virtio4j.wire.iommu.MapRequest;

/**
 * What runs on an emulator: a driver of the IOMMU that maps a page for each request and unmaps it afterwards, one that
 * reads entropy in small pieces, and several that read a disk at the same time. All of it happens in interrupts.
 */
final class SteppedGuest {

    private static final int PAGE = 4096;
    private static final int DOMAIN = 1;
    private static final int QUEUE_SIZE = 16;
    private static final long SECTOR = 512;
    private static final long STATUS = RequestHeader.SIZE;
    private static final long DATA = 1024;
    private static final int READ = 2048;

    /** Where pages of requests are mapped, far from all RAM. */
    private static final long FIRST_IOVA = 0x40_0000_0000L;

    private final SteppingEmulator emulator;
    private final GuestRam ram;
    private final IommuDriver iommu;
    private final MmioDriverTransport iommuWindow;
    private final List<Reader> readers = new ArrayList<>();
    private long nextIova = FIRST_IOVA;

    SteppedGuest(SteppingEmulator emulator, MmioDriverTransport iommuWindow, GuestRam ram) {
        this.emulator = emulator;
        this.ram = ram;
        this.iommuWindow = iommuWindow;
        this.iommu = new IommuDriver(iommuWindow, ram, result -> assertEquals(0, result.status()));
        assertEquals(StartResult.OK, iommu.start());
    }

    /** Reads so many pieces of 64 bytes one after the other. */
    void readEntropy(MmioDriverTransport window, int endpoint, int pieces) {
        VirtioDriver driver = attach(window, endpoint);
        DriverQueue queue = enable(driver, 0);
        assertEquals(StartResult.OK, driver.driverOk());
        readers.add(new EntropyReader(driver, queue, pieces));
    }

    /** Reads a whole disk with several requests in each queue, and compares. */
    void readDisk(MmioDriverTransport window, int endpoint, byte[] expected, int queues, int depth) {
        VirtioDriver driver = attach(window, endpoint);
        List<DriverQueue> all = IntStream.range(0, queues).mapToObj(queue -> enable(driver, queue)).toList();
        assertEquals(StartResult.OK, driver.driverOk());
        all.forEach(queue -> readers.add(new DiskReader(driver, queue, expected, queues, depth)));
    }

    /** What follows from no interrupt. */
    void begin() {
        readers.forEach(Reader::go);
    }

    boolean isDone() {
        return readers.stream().allMatch(Reader::isDone);
    }

    /** A slice of guest code: interrupts, as long as there are any; it goes on without having seen a level. */
    void slice() {
        int line = emulator.controller().claim();
        while (line >= 0) {
            interrupted(line);
            line = emulator.controller().claim();
        }
    }

    private void interrupted(int line) {
        if (line == emulator.lineOf(iommuWindow)) {
            int ignored = iommuWindow.takeInterrupts();
            return;
        }
        List<Reader> woken = readers.stream().filter(reader -> emulator.lineOf(reader.window()) == line).toList();
        int ignored = woken.getFirst().window().takeInterrupts();
        woken.forEach(Reader::go);
    }

    private VirtioDriver attach(MmioDriverTransport window, int endpoint) {
        assertEquals(DriverResult.OK, iommu.attach(0, DOMAIN, endpoint, 0));
        VirtioDriver driver = new VirtioDriver(window,
                FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM, FeatureBit.EVENT_IDX));
        assertEquals(StartResult.OK, driver.begin());
        return driver;
    }

    private DriverQueue enable(VirtioDriver driver, int index) {
        QueueMemory memory = QueueMemory.pageAligned(ram, QUEUE_SIZE);
        for (GuestBuffer part : List.of(memory.descriptorTable(), memory.availableRing(), memory.usedRing())) {
            map(part.address(), part.address());
        }
        DriverQueue queue = driver.queue(index, memory);
        assertEquals(StartResult.OK, driver.enable(queue));
        return queue;
    }

    private void map(long iova, long gpa) {
        int flags = MapRequest.FLAG_READ | MapRequest.FLAG_WRITE;
        assertEquals(DriverResult.OK, iommu.map(0, DOMAIN, iova, iova + PAGE - 1, gpa, flags));
        assertEquals(DriverResult.OK, iommu.sync());
    }

    private void unmap(long iova) {
        assertEquals(DriverResult.OK, iommu.unmap(0, DOMAIN, iova, iova + PAGE - 1));
        assertEquals(DriverResult.OK, iommu.sync());
    }

    /** Keeps so many requests under way in one queue, each with a page of its own that is mapped meanwhile. */
    private abstract class Reader {

        final DriverQueue queue;
        private final VirtioDriver driver;
        private final GuestBuffer[] pages;
        private final long[] iovas;
        private final long[] requests;
        private final long count;
        private long asked;
        private long answered;

        Reader(VirtioDriver driver, DriverQueue queue, int depth, long count) {
            this.driver = driver;
            this.queue = queue;
            this.count = count;
            this.pages = new GuestBuffer[depth];
            this.iovas = new long[depth];
            this.requests = new long[depth];
            for (int slot = 0; slot < depth; slot++) {
                pages[slot] = ram.buffer(PAGE, PAGE);
                iovas[slot] = nextIova;
                nextIova += 2 * PAGE;
                requests[slot] = -1;
            }
        }

        abstract void ask(int slot, GuestBuffer page, long iova, long request);

        abstract void check(GuestBuffer page, long request, long length);

        MmioDriverTransport window() {
            return (MmioDriverTransport) driver.transport();
        }

        boolean isDone() {
            return answered == count;
        }

        void go() {
            while (queue.poll()) {
                int slot = (int) queue.usedToken();
                unmap(iovas[slot]);
                check(pages[slot], requests[slot], queue.usedLength());
                requests[slot] = -1;
                answered++;
            }
            for (int slot = 0; slot < pages.length && asked < count; slot++) {
                if (requests[slot] < 0) {
                    requests[slot] = asked++;
                    map(iovas[slot], pages[slot].address());
                    ask(slot, pages[slot], iovas[slot], requests[slot]);
                }
            }
            boolean ignored = driver.kick(queue);
        }
    }

    /** As {@code dd} from the random device does it. */
    private final class EntropyReader extends Reader {

        private static final int PIECE = 64;

        EntropyReader(VirtioDriver driver, DriverQueue queue, int pieces) {
            super(driver, queue, 1, pieces);
        }

        @Override
        void ask(int slot, GuestBuffer page, long iova, long request) {
            page.fill(0, PAGE, 0);
            assertTrue(queue.add(slot, 0, 0, iova, PIECE));
        }

        @Override
        void check(GuestBuffer page, long request, long length) {
            assertEquals(PIECE, length);
            assertNotEquals(0, page.i64(0) | page.i64(PIECE - Long.BYTES));
            assertEquals(0, page.i64(PIECE));
        }
    }

    /** One queue of several, of which each reads its share. */
    private final class DiskReader extends Reader {

        private final byte[] expected;
        private final int queues;

        DiskReader(VirtioDriver driver, DriverQueue queue, byte[] expected, int queues, int depth) {
            super(driver, queue, depth, expected.length / READ / queues);
            this.expected = expected;
            this.queues = queues;
        }

        @Override
        void ask(int slot, GuestBuffer page, long iova, long request) {
            page.fill(0, PAGE, 0xff);
            page.putI32(RequestHeader.TYPE, RequestType.IN);
            page.putI32(RequestHeader.RESERVED, 0);
            page.putI64(RequestHeader.SECTOR, offset(request) / SECTOR);
            assertTrue(queue.add(slot, new long[] {iova, iova + DATA, iova + STATUS},
                    new long[] {RequestHeader.SIZE, READ, RequestHeader.STATUS_SIZE}, 1, 2));
        }

        @Override
        void check(GuestBuffer page, long request, long length) {
            assertEquals(READ + RequestHeader.STATUS_SIZE, length);
            assertEquals(RequestStatus.OK, page.u8(STATUS));
            byte[] data = new byte[READ];
            page.read(DATA, data, 0, READ);
            int offset = (int) offset(request);
            assertTrue(Arrays.equals(expected, offset, offset + READ, data, 0, READ), () -> "request " + request);
        }

        private long offset(long request) {
            return (request * queues + queue.index()) * READ;
        }
    }
}
