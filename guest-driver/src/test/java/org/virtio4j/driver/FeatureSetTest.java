// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureSetTest {

    @ParameterizedTest
    @ValueSource(ints = {0, 31, 32, 63, 64, 95, 96, 127})
    void shouldHoldABitInItsWordWhenItIsSet(int bit) {
        FeatureSet set = FeatureSet.of(bit);
        for (int word = 0; word < FeatureSet.WORDS; word++) {
            assertEquals(word == bit / 32 ? 1 << (bit % 32) : 0, set.word(word));
        }
        assertTrue(set.has(bit));
        assertFalse(set.has((bit + 64) % 128));
        assertEquals(FeatureSet.NONE, set.without(bit));
        assertEquals(set, set.and(FeatureSet.of(bit, (bit + 1) % 128)));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 128, Integer.MAX_VALUE})
    void shouldRefuseABitWhenThereIsNone(int bit) {
        assertThrows(IllegalArgumentException.class, () -> FeatureSet.of(bit));
        assertThrows(IllegalArgumentException.class, () -> FeatureSet.NONE.has(bit));
    }
}
