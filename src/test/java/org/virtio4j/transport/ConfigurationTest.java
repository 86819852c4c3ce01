// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.virtio4j.fixture.RecordingDevice.CONFIG_SIZE;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.RecordingDevice;

/** Section 2.5: the configuration, wherever and however wide it is accessed, and its generation. */
class ConfigurationTest extends TransportTests {

    private final RecordingDevice device = guest.device;
    private final Port port = guest.port;

    ConfigurationTest(TransportKind kind) {
        super(kind);
        for (int i = 0; i < CONFIG_SIZE; i++) {
            device.config[i] = (byte) (0xf0 + i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    @DisplayName("2.5: what lies wholly inside is read and written, at any alignment, little-endian; nothing else is")
    void shouldReadAndWriteWhatLiesWhollyInside(int width) {
        long limit = width == 8 ? -1 : (1L << (8 * width)) - 1;
        for (int offset = -1; offset < CONFIG_SIZE + 2; offset++) {
            boolean inside = offset >= 0 && offset + width <= CONFIG_SIZE;
            long expected = 0;
            for (int i = width - 1; inside && i >= 0; i--) {
                expected = (expected << 8) | (0xf0 + offset + i);
            }
            assertEquals(expected & limit, port.readConfig(offset, width), "offset " + offset);
            device.take();
            port.writeConfig(offset, width, port.readConfig(offset, width));
            assertEquals(inside ? List.of("write " + offset + " " + width) : List.of(), device.take());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    @DisplayName("2.5: the low bytes of what is written reach the device")
    void shouldWriteTheLowBytes(int width) {
        port.writeConfig(3, width, 0x8877_6655_4433_2211L);
        for (int i = 0; i < CONFIG_SIZE; i++) {
            boolean written = i >= 3 && i < 3 + width;
            assertEquals(written ? 0x11 * (i - 2) : 0xf0 + i, device.config[i] & 0xff, "byte " + i);
        }
    }

    @Test
    @DisplayName("2.5: any other place or width reads 0, and nothing is written there")
    void shouldShowNothingForAnyOtherPlaceOrWidth() {
        long[] offsets = {-1, -8, Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, 1L << 32, (1L << 32) - 1,
            -1L << 32};
        for (long offset : offsets) {
            for (int width : new int[] {1, 2, 4, 8}) {
                assertEquals(0, port.readConfig(offset, width));
                port.writeConfig(offset, width, -1);
            }
        }
        for (int width : new int[] {0, 3, 5, 6, 7, 9, 16, -1, -4, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertEquals(0, port.readConfig(0, width));
            port.writeConfig(0, width, -1);
        }
        assertEquals(List.of(), device.take());
        assertEquals((byte) 0xf0, device.config[0]);
    }

    @Test
    @DisplayName("2.5.2: the configuration can be read before anything is negotiated")
    void shouldBeReadableBeforeAnythingIsNegotiated() {
        assertEquals(0xf0, port.readConfig(0, 1));
        assertEquals(0, guest.status());
    }

    @Test
    @DisplayName("2.5, 4.1.4.3.1: the generation stays while nothing changes but by the driver's writes")
    void shouldKeepItsGenerationWhileNothingChanges() {
        guest.run();
        int before = guest.driver.configGeneration();
        for (int i = 0; i < 5; i++) {
            port.readConfig(0, 4);
            port.writeConfig(0, 4, 1);
            assertEquals(before, guest.driver.configGeneration());
        }
    }

    @Test
    @DisplayName("2.5, 4.1.4.3.1: the generation is another once a changed value was read, and the driver is told")
    void shouldShowAnotherGenerationOnceAChangedValueWasRead() {
        guest.run();
        int before = guest.driver.configGeneration();
        change(1);
        guest.assertInterrupts(Port.CONFIG);
        assertEquals(1, port.readConfig(0, 4));
        int after = guest.driver.configGeneration();
        assertNotEquals(before, after);
        port.readConfig(0, 4);
        assertEquals(after, guest.driver.configGeneration());
        change(2);
        change(3);
        port.readConfig(0, 4);
        assertNotEquals(after, guest.driver.configGeneration());
    }

    @Test
    @DisplayName("4.1.4.3.1: many changes that were not read do not lead back to the same generation")
    void shouldNotComeRoundToTheSameGenerationWhenManyChangesWereNotRead() {
        // A counter that moved with each change would be back where it was after 256 of them, in the 8 bits PCI shows.
        guest.run();
        port.readConfig(0, 4);
        int before = guest.driver.configGeneration() & 0xff;
        for (int i = 0; i < 256; i++) {
            change(i);
        }
        port.readConfig(0, 4);
        assertNotEquals(before, guest.driver.configGeneration() & 0xff);
    }

    @Test
    @DisplayName("2.5.1: a change in the middle of a read can be noticed")
    void shouldNoticeAChangeInTheMiddleOfARead() {
        // The driver reads a 64-bit field in halves, as section 2.5.1 tells it to, and the device changes both between.
        guest.run();
        write64(0x1111_1111_1111_1111L);
        port.readConfig(0, 4);
        int before = guest.driver.configGeneration();
        long low = port.readConfig(0, 4);
        write64(0x2222_2222_2222_2222L);
        device.active().configChanged();
        long high = port.readConfig(4, 4);
        assertNotEquals(low, high, "torn, as it may be");
        assertNotEquals(before, guest.driver.configGeneration(), "but the driver can tell");
    }

    @Test
    @DisplayName("2.5.1: a change at the very moment of a read can be noticed")
    void shouldNoticeAChangeAtTheVeryMomentOfARead() {
        guest.run();
        write64(0x1111_1111_1111_1111L);
        int before = guest.driver.configGeneration();
        long low = port.readConfig(0, 4);
        device.inConfigRead = () -> {
            device.inConfigRead = () -> { };
            write64(0x2222_2222_2222_2222L);
            device.active().configChanged();
        };
        long high = port.readConfig(4, 4);
        assertNotEquals(low, high, "torn, as it may be");
        assertNotEquals(before, guest.driver.configGeneration(), "but the driver can tell");
    }

    private void change(int value) {
        device.config[0] = (byte) value;
        device.config[1] = (byte) (value >> 8);
        device.config[2] = 0;
        device.config[3] = 0;
        device.active().configChanged();
    }

    private void write64(long value) {
        for (int i = 0; i < 8; i++) {
            device.config[i] = (byte) (value >>> (8 * i));
        }
    }
}
