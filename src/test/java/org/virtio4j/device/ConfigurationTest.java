// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.virtio4j.device.LifecycleFixture.CONFIG_SIZE;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Section 2.5: the configuration, wherever and however wide it is accessed, and its generation. */
class ConfigurationTest {

    private final LifecycleFixture fixture = LifecycleFixture.identity();
    private final DeviceLifecycle lifecycle = fixture.lifecycle;

    ConfigurationTest() {
        for (int i = 0; i < CONFIG_SIZE; i++) {
            fixture.device.config[i] = (byte) (0xf0 + i);
        }
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    void shouldReadAndWriteWhatLiesWhollyInside(int width) {
        long limit = width == 8 ? -1 : (1L << (8 * width)) - 1;
        for (int offset = -1; offset < CONFIG_SIZE + 2; offset++) {
            boolean inside = offset >= 0 && offset + width <= CONFIG_SIZE;
            long expected = 0;
            for (int i = width - 1; inside && i >= 0; i--) {
                expected = (expected << 8) | (0xf0 + offset + i);
            }
            assertEquals(expected & limit, lifecycle.readConfig(offset, width), "offset " + offset);
            fixture.device.take();
            lifecycle.writeConfig(offset, width, lifecycle.readConfig(offset, width));
            assertEquals(inside ? List.of("write " + offset + " " + width) : List.of(), fixture.device.take());
        }
    }

    @Test
    void shouldShowNothingForAnyOtherPlaceOrWidth() {
        long[] offsets = {-1, -8, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, 1L << 32, (1L << 32) - 1,
            -1L << 32};
        for (long offset : offsets) {
            for (int width : new int[] {1, 2, 4, 8}) {
                assertEquals(0, lifecycle.readConfig(offset, width));
                lifecycle.writeConfig(offset, width, -1);
            }
        }
        for (int width : new int[] {0, 3, 5, 6, 7, 9, 16, -1, -4, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertEquals(0, lifecycle.readConfig(0, width));
            lifecycle.writeConfig(0, width, -1);
        }
        assertEquals(List.of(), fixture.device.take());
        assertEquals((byte) 0xf0, fixture.device.config[0]);
    }

    @Test
    void shouldBeReadableBeforeAnythingIsNegotiated() {
        assertEquals(0xf0, lifecycle.readConfig(0, 1));
        assertEquals(0, lifecycle.status());
    }

    @Test
    void shouldKeepItsGenerationWhileNothingChanges() {
        fixture.run();
        int before = lifecycle.configGeneration();
        for (int i = 0; i < 5; i++) {
            lifecycle.readConfig(0, 4);
            lifecycle.writeConfig(0, 4, 1);
            assertEquals(before, lifecycle.configGeneration());
        }
    }

    @Test
    void shouldShowAnotherGenerationOnceAChangedValueWasRead() {
        fixture.run();
        int before = lifecycle.configGeneration();
        change(1);
        assertEquals(List.of("config"), fixture.signals.take(), "the driver is told");
        assertEquals(1, lifecycle.readConfig(0, 4));
        int after = lifecycle.configGeneration();
        assertNotEquals(before, after);
        lifecycle.readConfig(0, 4);
        assertEquals(after, lifecycle.configGeneration());
        change(2);
        change(3);
        lifecycle.readConfig(0, 4);
        assertNotEquals(after, lifecycle.configGeneration());
    }

    @Test
    void shouldNotComeRoundToTheSameGenerationWhenManyChangesWereNotRead() {
        // A counter that moved with each change would be back where it was after 256 of them, in the 8 bits PCI shows.
        fixture.run();
        lifecycle.readConfig(0, 4);
        int before = lifecycle.configGeneration() & 0xff;
        for (int i = 0; i < 256; i++) {
            change(i);
        }
        lifecycle.readConfig(0, 4);
        assertNotEquals(before, lifecycle.configGeneration() & 0xff);
    }

    @Test
    void shouldNoticeAChangeInTheMiddleOfARead() {
        // The driver reads a 64-bit field in halves, as section 2.5.3 tells it to, and the device changes both between.
        fixture.run();
        LifecycleFixture.Device device = fixture.device;
        write64(0x1111_1111_1111_1111L);
        lifecycle.readConfig(0, 4);
        int before = lifecycle.configGeneration();
        long low = lifecycle.readConfig(0, 4);
        write64(0x2222_2222_2222_2222L);
        device.active().configChanged();
        long high = lifecycle.readConfig(4, 4);
        assertNotEquals(low, high, "torn, as it may be");
        assertNotEquals(before, lifecycle.configGeneration(), "but the driver can tell");
    }

    @Test
    void shouldNoticeAChangeAtTheVeryMomentOfARead() {
        fixture.run();
        LifecycleFixture.Device device = fixture.device;
        write64(0x1111_1111_1111_1111L);
        int before = lifecycle.configGeneration();
        long low = lifecycle.readConfig(0, 4);
        device.inConfigRead = () -> {
            device.inConfigRead = () -> { };
            write64(0x2222_2222_2222_2222L);
            device.active().configChanged();
        };
        long high = lifecycle.readConfig(4, 4);
        assertNotEquals(low, high, "torn, as it may be");
        assertNotEquals(before, lifecycle.configGeneration(), "but the driver can tell");
    }

    private void change(int value) {
        fixture.device.config[0] = (byte) value;
        fixture.device.config[1] = (byte) (value >> 8);
        fixture.device.config[2] = 0;
        fixture.device.config[3] = 0;
        fixture.device.active().configChanged();
    }

    private void write64(long value) {
        for (int i = 0; i < 8; i++) {
            fixture.device.config[i] = (byte) (value >>> (8 * i));
        }
    }
}
