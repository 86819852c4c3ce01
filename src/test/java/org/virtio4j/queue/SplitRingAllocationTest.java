// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.fixture.Allocations;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.wire.AvailableRing;

/** A buffer costs no byte of heap, whatever its chain looks like and wherever the ring lies. */
class SplitRingAllocationTest {

    private static final long PAGE = RingFixture.PAGE;
    private static final int SIZE = 64;
    private static final int BATCH = 8;

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void shouldAllocateNothingForAChain(boolean translated, boolean eventIdx) {
        RingFixture.Settings settings = RingFixture.of(SIZE).indirect().eventIdx(eventIdx).pages(40);
        try (RingFixture ring = (translated ? settings.regions(1).shuffled(new Random(1)) : settings).open()) {
            ring.memory.dirtyLog().start(4_096);
            prepare(ring);
            MemorySegment host = Arena.ofAuto().allocate(2 * PAGE, 8);
            Chain[] slots = new Chain[BATCH];
            Arrays.setAll(slots, i -> new Chain());
            Allocations.assertNone(500, () -> serve(ring, slots, host));
        }
    }

    private static void serve(RingFixture ring, Chain[] slots, MemorySegment host) {
        ring.ram.putU16Release(ring.driver.available() + AvailableRing.IDX,
                ring.ram.u16(ring.driver.available() + AvailableRing.IDX) + BATCH);
        ring.queue.disableNotifications();
        ring.queue.enter();
        for (int i = 0; i < BATCH; i++) {
            assertTrue(ring.queue.poll(slots[i]));
            slots[i].read(0, host, 0, slots[i].readableLength());
        }
        ring.queue.leave();
        ring.queue.enter();
        for (int i = BATCH - 1; i >= 0; i--) {
            slots[i].write(0, host, 0, slots[i].writableLength());
            ring.queue.complete(slots[i]);
        }
        ring.queue.leave();
        ring.queue.publish();
        ring.queue.enableNotifications();
    }

    /** Eight chains of different build, and an available ring that names one after the other for ever. */
    private static void prepare(RingFixture ring) {
        Buffer[] long40 = new Buffer[40];
        for (int i = 0; i < 40; i++) {
            long40[i] = i < 20 ? Buffer.readable(ring.buffers + i, 3) : Buffer.writable(ring.buffers + PAGE + i, 2);
        }
        ring.driver.chain(0, ring.readable(0, 36), ring.writable(1, 4));
        ring.driver.chain(2, ring.readable(0, 1), ring.readable(1, 1), ring.writable(2, 1));
        ring.driver.chain(5, ring.driver.table(ring.buffers + 30 * PAGE, ring.readable(0, 36), ring.writable(1, 4)));
        ring.driver.chain(6, ring.driver.table(ring.buffers + 32 * PAGE - 8, long40));
        ring.driver.chain(7, ring.readable(3, 7_000));
        ring.driver.chain(8, ring.writable(5, 8_000));
        ring.driver.chain(9, Buffer.writable(0, 0));
        ring.driver.chain(10, ring.readable(0, 5),
                ring.driver.table(ring.buffers + 34 * PAGE - 24, ring.readable(0, 5), ring.writable(8, 5)));
        int[] heads = {0, 2, 5, 6, 7, 8, 9, 10};
        for (int i = 0; i < SIZE; i++) {
            ring.ram.putU16(ring.driver.available() + AvailableRing.RING + 2L * i, heads[i % BATCH]);
        }
    }
}
