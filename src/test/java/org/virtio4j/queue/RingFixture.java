// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;

/**
 * A split ring with both its ends: the driver's by hand, the device's under test. The ring's parts follow each other;
 * buffers lie behind them.
 */
final class RingFixture implements AutoCloseable {

    static final long PAGE = GuestMemory.PAGE_SIZE;

    /** Where the ring begins; the address is the same behind a translator. */
    static final long START = 0x1_0000_0000L;

    private static final long SCRATCH_BYTES = 1 << 20;

    final GuestMemory memory;
    final @Nullable PageTable table;
    final GuestBytes ram;
    final DriverRing driver;
    final DeviceQueue queue;
    final Chain chain = new Chain();

    /** First address that belongs to no part of the ring, at the start of a page; eight pages follow at least. */
    final long buffers;

    private final MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH_BYTES, 8);

    private RingFixture(Settings settings) {
        long descriptors = START + settings.shift;
        long available = descriptors + settings.size * SplitDescriptor.SIZE + settings.gap;
        long used = (available + AvailableRing.size(settings.size) + settings.gap + 3) & -4;
        buffers = (used + 8L * settings.size + 6 + PAGE - 1) & -PAGE;
        int pages = (int) ((buffers - START) / PAGE) + settings.pages;
        memory = new GuestMemory();
        for (long page = 0; page < pages; page += settings.regionPages) {
            memory.addAnonymous(START + page * PAGE, Math.min(settings.regionPages, pages - page) * PAGE);
        }
        table = settings.shuffle == null ? null : PageTable.shuffled(START, START, pages, settings.shuffle);
        ram = new GuestBytes(memory, table);
        driver = new DriverRing(ram, settings.size, descriptors, available, used);
        DmaSpace space = table == null ? DmaSpace.identity(memory) : DmaSpace.of(memory, table);
        queue = new SplitQueue(new QueueSettings(settings.size, descriptors, available, used, settings.indirect,
                settings.eventIdx, table != null, settings.polled), space.open("ring under test"));
    }

    static Settings of(int size) {
        return new Settings(size);
    }

    @Override
    public void close() {
        leaveIfInside();
        queue.close();
        memory.close();
    }

    /** A test that failed half-way would else wait for itself. */
    private void leaveIfInside() {
        try {
            queue.leave();
        } catch (IllegalStateException outside) {
            // As it should be.
        }
    }

    /** Takes one chain in a section of its own. */
    boolean poll() {
        return poll(chain);
    }

    boolean poll(Chain into) {
        queue.enter();
        boolean taken = queue.poll(into);
        queue.leave();
        return taken;
    }

    /** Completes a chain in a section of its own, without making it visible. */
    void complete(Chain done) {
        queue.enter();
        queue.complete(done);
        queue.leave();
    }

    /** Takes a chain that must be there, and gives it back at once. */
    boolean serveOne() {
        assertTrue(poll(), () -> "nothing was taken: " + queue.failure());
        complete(chain);
        return queue.publish();
    }

    /** Reads the readable part of the fixture's chain. */
    byte[] read(long offset, int length) {
        queue.enter();
        assertEquals(DmaResult.OK, chain.read(offset, scratch, 0, length));
        queue.leave();
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) LittleEndian.u8(scratch, i);
        }
        return bytes;
    }

    /** Writes a value over a stretch of the writable part of the fixture's chain. */
    DmaResult write(long offset, int length, int value) {
        scratch.asSlice(0, length).fill((byte) value);
        queue.enter();
        DmaResult result = chain.write(offset, scratch, 0, length);
        queue.leave();
        return result;
    }

    /** A readable buffer of this length in page {@code page} behind the ring. */
    Buffer readable(int page, int length) {
        return Buffer.readable(buffers + page * PAGE, length);
    }

    /** A writable buffer of this length in page {@code page} behind the ring. */
    Buffer writable(int page, int length) {
        return Buffer.writable(buffers + page * PAGE, length);
    }

    /** Asserts that the queue refuses to go on, for this reason, and went on with nothing. */
    void assertFails(QueueFailure reason) {
        assertFalse(poll(), "a chain was taken");
        assertEquals(reason, queue.failure());
        assertFalse(poll(), "a chain was taken after the failure");
        assertEquals(reason, queue.failure());
    }

    /** How a ring is to be. */
    static final class Settings {

        private final int size;
        private boolean indirect;
        private boolean eventIdx;
        private boolean polled;
        private long shift;
        private long gap;
        private int pages = 16;
        private long regionPages = Long.MAX_VALUE;
        private @Nullable Random shuffle;

        private Settings(int size) {
            this.size = size;
        }

        Settings indirect() {
            indirect = true;
            return this;
        }

        Settings eventIdx() {
            eventIdx = true;
            return this;
        }

        Settings eventIdx(boolean on) {
            eventIdx = on;
            return this;
        }

        /** The device wants no notification. */
        Settings polled() {
            polled = true;
            return this;
        }

        /** Moves the ring, a multiple of 16 bytes. */
        Settings shift(long bytes) {
            shift = bytes;
            return this;
        }

        /** Leaves room between the parts, an even number of bytes. */
        Settings gap(long bytes) {
            gap = bytes;
            return this;
        }

        /** How many pages there are for buffers. */
        Settings pages(int count) {
            pages = count;
            return this;
        }

        /** Cuts the memory into regions of so many pages. */
        Settings regions(int count) {
            regionPages = count;
            return this;
        }

        /** Puts a translator before the memory whose pages are in random order. */
        Settings shuffled(Random random) {
            shuffle = random;
            return this;
        }

        RingFixture open() {
            return new RingFixture(this);
        }
    }
}
