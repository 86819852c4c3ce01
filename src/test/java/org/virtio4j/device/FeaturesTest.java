// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.wire.DeviceType;

class FeaturesTest {

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 32, 63, 64, 65, 95, 96, 127})
    void shouldHaveABitInItsWordAndNowhereElse(int bit) {
        Features set = Features.of(bit);
        for (int other = 0; other < 128; other++) {
            assertEquals(other == bit, set.has(other));
        }
        for (int word = 0; word < 4; word++) {
            assertEquals(word == bit / 32 ? 1 << bit : 0, set.word(word));
            assertEquals(word == bit / 32, Features.NONE.withWord(word, 1 << bit).equals(set));
        }
        assertEquals(Features.NONE, set.without(bit));
        assertEquals(set, set.with(bit).without((bit + 64) % 128));
    }

    @Test
    void shouldReplaceAWordAndLeaveTheOthers() {
        Features all = new Features(-1, -1);
        assertEquals(new Features(0xffff_ffff_0000_0001L, -1), all.withWord(0, 1));
        assertEquals(new Features(0x0000_0001_ffff_ffffL, -1), all.withWord(1, 1));
        assertEquals(new Features(-1, 0xffff_ffff_8000_0000L), all.withWord(2, 0x8000_0000));
        assertEquals(new Features(-1, 0x8000_0000_ffff_ffffL), all.withWord(3, 0x8000_0000));
        assertEquals(all, all.withWord(4, 0).withWord(-1, 0));
        assertEquals(0, all.word(4) | all.word(-1));
    }

    @Test
    void shouldCompareSets() {
        Features few = Features.of(1, 100);
        Features more = Features.of(1, 2, 100);
        assertTrue(few.within(more));
        assertFalse(more.within(few));
        assertTrue(Features.NONE.within(few));
        assertFalse(Features.of(101).within(more));
        assertEquals(few, more.and(few));
        assertEquals(more, few.or(Features.of(2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 128, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void shouldRefuseABitThatDoesNotExist(int bit) {
        assertThrows(IllegalArgumentException.class, () -> Features.of(bit));
        assertThrows(IllegalArgumentException.class, () -> Features.NONE.has(bit));
        assertThrows(IllegalArgumentException.class, () -> Features.NONE.without(bit));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 3, 65_536, 40_000, Integer.MIN_VALUE})
    void shouldRefuseADeviceWithAnImpossibleQueue(int size) {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> new DeviceInfo(DeviceType.BLOCK, List.of(16, size), 8));
        assertTrue(String.valueOf(refused.getMessage()).contains("queueSize=" + size), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    @DisplayName("4.2.3.1.1: drivers pass over a device with ID 0")
    void shouldRefuseADeviceThatNoDriverLooksFor(int type) {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> new DeviceInfo(type, List.of(16), 0));
        assertTrue(String.valueOf(refused.getMessage()).contains("deviceType=" + type), refused.getMessage());
    }

    @Test
    void shouldDescribeADevice() {
        DeviceInfo info = new DeviceInfo(DeviceType.BLOCK, List.of(1, 32_768), 0);
        assertEquals(2, info.queueCount());
        assertThrows(IllegalArgumentException.class, () -> new DeviceInfo(DeviceType.BLOCK, List.of(), -1));
    }
}
