// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.wire.SplitDescriptor;

/** Every rule that a driver can break with an indirect table. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SplitRingHostileTableTest {

    private static final long PAGE = RingFixture.PAGE;
    private static final int NEXT = SplitDescriptor.FLAG_NEXT;
    private static final int INDIRECT = SplitDescriptor.FLAG_INDIRECT;

    @Test
    void shouldRefuseATableThatWasNotNegotiated() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.chain(0, ring.driver.table(ring.buffers, ring.readable(1, 1)));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_NOT_NEGOTIATED);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRefuseATableInATable(boolean inPieces) {
        try (RingFixture ring = indirect(inPieces)) {
            ring.driver.chain(0, ring.driver.table(table(ring, inPieces), ring.readable(1, 1),
                    ring.driver.table(ring.buffers + 3 * PAGE, ring.readable(1, 1))));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_IN_INDIRECT);
        }
    }

    @Test
    void shouldRefuseATableThatIsContinued() {
        try (RingFixture ring = indirect(false)) {
            ring.driver.descriptor(0, ring.driver.table(ring.buffers, ring.readable(1, 1)).next(1));
            ring.driver.descriptor(1, ring.readable(2, 1));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_WITH_NEXT);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 17, 31, -1, -15})
    void shouldRefuseATableOfNothingOrOfAPartOfADescriptor(int length) {
        try (RingFixture ring = indirect(false)) {
            ring.driver.chain(0, new Buffer(ring.buffers, length, INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_LENGTH);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRefuseANextOutsideTheIndirectTable(boolean inPieces) {
        try (RingFixture ring = indirect(inPieces)) {
            // Entry 3 of a table of three, though the ring has eight.
            long table = table(ring, inPieces);
            ring.driver.table(table, ring.readable(1, 1), ring.readable(1, 1), ring.readable(1, 1),
                    ring.readable(1, 1));
            ring.driver.chain(0, new Buffer(table, 48, INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.NEXT_OUT_OF_RANGE);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCountTheWholeChainWhenItEndsACircleInATable(boolean inPieces) {
        try (RingFixture ring = indirect(inPieces)) {
            long table = table(ring, inPieces);
            ring.driver.table(table, ring.readable(1, 1), ring.readable(1, 1));
            ring.ram.putU16(table + SplitDescriptor.SIZE + SplitDescriptor.FLAGS, NEXT);
            ring.driver.chain(0, ring.readable(2, 1), new Buffer(table, 32, INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.CHAIN_TOO_LONG);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRefuseOneDescriptorMoreThanTheQueueHas(boolean inPieces) {
        for (int direct = 0; direct < 8; direct++) {
            for (int tooMany = 0; tooMany < 2; tooMany++) {
                try (RingFixture ring = indirect(inPieces)) {
                    Buffer[] entries = new Buffer[8 - direct + tooMany];
                    Arrays.fill(entries, ring.readable(1, 1));
                    Buffer[] chain = new Buffer[direct + 1];
                    Arrays.fill(chain, ring.readable(1, 1));
                    // The table is placed so that the last entries lie in the next page.
                    long table = table(ring, inPieces);
                    chain[direct] = ring.driver.table(table, entries);
                    ring.driver.chain(0, chain);
                    ring.driver.offer(0);
                    if (tooMany == 0) {
                        assertTrue(ring.poll(), () -> ring.queue.failure().toString());
                        assertEquals(8, ring.chain.readableLength());
                    } else {
                        ring.assertFails(QueueFailure.CHAIN_TOO_LONG);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRefuseReadableAfterWritableInATable(boolean inPieces) {
        try (RingFixture ring = indirect(inPieces)) {
            ring.driver.chain(0, ring.writable(2, 1),
                    ring.driver.table(table(ring, inPieces), ring.readable(1, 1), ring.readable(1, 1)));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.READABLE_AFTER_WRITABLE);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0x1000, 0x7fff_ffff_ffff_f000L, -16})
    void shouldRefuseATableWhereThereIsNoMemory(long address) {
        try (RingFixture ring = indirect(false)) {
            ring.driver.chain(0, new Buffer(address, 16, INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_UNREACHABLE);
        }
    }

    @Test
    void shouldRefuseATableThatLeavesTheRamHalfWay() {
        try (RingFixture ring = indirect(false)) {
            long end = ring.buffers + 16 * PAGE;
            ring.driver.table(end - 16, ring.readable(1, 1));
            ring.ram.putU16(end - 16 + SplitDescriptor.FLAGS, NEXT);
            ring.ram.putU16(end - 16 + SplitDescriptor.NEXT, 1);
            ring.driver.chain(0, new Buffer(end - 16, 32, INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_UNREACHABLE);
        }
    }

    @Test
    void shouldNotLoopLongerThanTheQueueInAHugeTable() {
        try (RingFixture ring = indirect(false)) {
            // A table of 4 GiB in which entry 0 follows itself.
            ring.driver.table(ring.buffers, ring.readable(1, 1).next(0));
            ring.ram.putU16(ring.buffers + SplitDescriptor.FLAGS, NEXT);
            ring.driver.chain(0, new Buffer(ring.buffers, 0xffff_fff0, INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.CHAIN_TOO_LONG);
        }
    }

    /** A ring of eight entries; in pieces, a table across the end of a page is in two regions. */
    private static RingFixture indirect(boolean inPieces) {
        RingFixture.Settings settings = RingFixture.of(8).indirect();
        return (inPieces ? settings.regions(1).shuffled(new Random(9)) : settings).open();
    }

    private static long table(RingFixture ring, boolean inPieces) {
        return ring.buffers + 6 * PAGE - (inPieces ? 8 : 4096);
    }
}
