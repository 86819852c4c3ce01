// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a leaf promises its readers, slot by slot. */
class LeafTest {

    private static final int EPOCH = 7;
    private static final int TARGET = 0x5000 | 3;

    private final NodeMemory memory = new NodeMemory(Arena.ofAuto().allocate(2 * Leaf.SIZE, Node.ALIGNMENT), null);
    private final long leaf = memory.base() + Leaf.SIZE;

    @BeforeEach
    void clear() {
        Leaf.clear(memory, leaf);
    }

    @Test
    void shouldNotTouchTheValuesOfASlotThatAReaderMayStillLookAt() {
        insert(10, EPOCH);
        Leaf.remove(memory, leaf, 1, EPOCH);
        for (int page = 20; page < 20 + Leaf.CAPACITY - 1; page++) {
            assertTrue(insert(page, EPOCH));
        }
        assertFalse(insert(90, EPOCH), "the only slot left is resting");
        assertEquals(10, Leaf.lastPage(memory, leaf, 0));
        assertEquals(TARGET, Leaf.target(memory, leaf, 0));
    }

    @Test
    void shouldUseASlotAgainAfterAGracePeriod() {
        insert(10, EPOCH);
        Leaf.remove(memory, leaf, 1, EPOCH);
        insert(20, EPOCH + 1);
        assertEquals(20, Leaf.firstPage(memory, leaf, 0));
    }

    @Test
    void shouldRememberSlotsFreedInSeveralRemovalsOfOnePeriod() {
        insert(10, EPOCH);
        insert(11, EPOCH);
        Leaf.remove(memory, leaf, 1, EPOCH);
        Leaf.remove(memory, leaf, 2, EPOCH);
        insert(12, EPOCH);
        assertEquals(12, Leaf.firstPage(memory, leaf, 2));
        assertEquals(1, Leaf.mappings(memory, leaf));
    }

    @Test
    void shouldFindTheNearestMappingAtOrBelowAPage() {
        for (long page : new long[] {40, 10, 30, 20}) {
            insert(page, EPOCH);
        }
        assertEquals(Leaf.NOTHING, Leaf.floor(memory, leaf, 9));
        assertEquals(0, Leaf.distance(Leaf.floor(memory, leaf, 10)));
        assertEquals(9, Leaf.distance(Leaf.floor(memory, leaf, 29)));
        assertEquals(2, Leaf.slot(Leaf.floor(memory, leaf, 39)));
        assertEquals(Pages.COUNT - 1 - 40, Leaf.distance(Leaf.floor(memory, leaf, Pages.COUNT - 1)));
    }

    @Test
    void shouldFindNothingInAnEmptyLeafWhateverThePage() {
        assertEquals(Leaf.NOTHING, Leaf.floor(memory, leaf, 0));
        assertEquals(Leaf.NOTHING, Leaf.floor(memory, leaf, Pages.COUNT - 1));
        assertEquals(Pages.NONE, Leaf.lowest(memory, leaf));
    }

    @Test
    void shouldTellTheHighestPageFromTheLowest() {
        insert(Pages.COUNT - 1, EPOCH);
        assertEquals(Leaf.NOTHING, Leaf.floor(memory, leaf, 0));
        insert(0, EPOCH);
        assertEquals(1, Leaf.slot(Leaf.floor(memory, leaf, Pages.COUNT - 2)));
        assertEquals(0, Leaf.slot(Leaf.floor(memory, leaf, Pages.COUNT - 1)));
    }

    private boolean insert(long page, int epoch) {
        return Leaf.insert(memory, leaf, page, page, TARGET, epoch);
    }
}
