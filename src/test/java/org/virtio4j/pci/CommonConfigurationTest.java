// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.RecordingDevice;

/** Section 4.1.4.3, as far as PCI shows more than virtio-mmio, or shows it differently. */
class CommonConfigurationTest {

    /** Width of each field; those of 8 bytes are two of 4. */
    private static final Map<Integer, Integer> WIDTHS = new TreeMap<>(Map.ofEntries(
            Map.entry(0x00, 4), Map.entry(0x04, 4), Map.entry(0x08, 4), Map.entry(0x0c, 4), Map.entry(0x10, 2),
            Map.entry(0x12, 2), Map.entry(0x14, 1), Map.entry(0x15, 1), Map.entry(0x16, 2), Map.entry(0x18, 2),
            Map.entry(0x1a, 2), Map.entry(0x1c, 2), Map.entry(0x1e, 2), Map.entry(0x20, 4), Map.entry(0x24, 4),
            Map.entry(0x28, 4), Map.entry(0x2c, 4), Map.entry(0x30, 4), Map.entry(0x34, 4), Map.entry(0x38, 2),
            Map.entry(0x3a, 2), Map.entry(0x3c, 2), Map.entry(0x3e, 2)));

    private final PciGuest guest = PciGuest.sendingMessages();

    @BeforeEach
    void enableMemorySpace() {
        guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    void shouldReadBackTheSelectors() {
        guest.put(PciSpec.DEVICE_FEATURE_SELECT, 4, 0xdead_beefL);
        guest.put(PciSpec.DRIVER_FEATURE_SELECT, 4, 3);
        guest.put(PciSpec.QUEUE_SELECT, 2, 0xabcd);
        assertEquals(0xdead_beefL, guest.get(PciSpec.DEVICE_FEATURE_SELECT, 4));
        assertEquals(3, guest.get(PciSpec.DRIVER_FEATURE_SELECT, 4));
        assertEquals(0xabcd, guest.get(PciSpec.QUEUE_SELECT, 2));
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        assertEquals(0, guest.get(PciSpec.DEVICE_FEATURE_SELECT, 4), "a reset clears them");
        assertEquals(0, guest.get(PciSpec.DRIVER_FEATURE_SELECT, 4));
        assertEquals(0, guest.get(PciSpec.QUEUE_SELECT, 2));
    }

    @Test
    @DisplayName("4.1.4.3.1: driver_feature presents the valid bits that were written")
    void shouldReadBackTheFeaturesThatAreOffered() {
        for (int word = 0; word < 4; word++) {
            guest.put(PciSpec.DEVICE_FEATURE_SELECT, 4, word);
            guest.put(PciSpec.DRIVER_FEATURE_SELECT, 4, word);
            guest.put(PciSpec.DRIVER_FEATURE, 4, 0xffff_ffffL);
            assertEquals(guest.get(PciSpec.DEVICE_FEATURE, 4), guest.get(PciSpec.DRIVER_FEATURE, 4));
        }
        guest.put(PciSpec.DRIVER_FEATURE_SELECT, 4, 4);
        assertEquals(0, guest.get(PciSpec.DRIVER_FEATURE, 4));
    }

    @Test
    @DisplayName("4.1.4.3.1: queue_size is the largest on reset, then what the driver wrote, 0 where there is no queue")
    void shouldReadBackWhatWasWrittenOfAQueue() {
        assertEquals(2, guest.get(PciSpec.NUM_QUEUES, 2));
        guest.select(1);
        assertEquals(RecordingDevice.SIZE_1, guest.get(PciSpec.QUEUE_SIZE, 2));
        guest.put(PciSpec.QUEUE_SIZE, 2, 4);
        guest.put(PciSpec.QUEUE_DRIVER, 4, 0x8000_0000L);
        guest.put(PciSpec.QUEUE_DRIVER + 4, 4, 0x7fff_ffffL);
        assertEquals(4, guest.get(PciSpec.QUEUE_SIZE, 2));
        assertEquals(0x8000_0000L, guest.get(PciSpec.QUEUE_DRIVER, 4));
        assertEquals(0x7fff_ffffL, guest.get(PciSpec.QUEUE_DRIVER + 4, 4));
        assertEquals(0x7fff_ffff_8000_0000L, guest.get(PciSpec.QUEUE_DRIVER, 8), "or at once");
        guest.put(PciSpec.QUEUE_DEVICE, 8, -16);
        assertEquals(-16, guest.get(PciSpec.QUEUE_DEVICE, 8));
        assertEquals(0xffff_ffffL, guest.get(PciSpec.QUEUE_DEVICE + 4, 4));
        assertEquals(1, guest.get(PciSpec.QUEUE_NOTIFY_OFF, 2));
        assertEquals(1, guest.get(PciSpec.QUEUE_NOTIF_CONFIG_DATA, 2));
        guest.select(0);
        assertEquals(0, guest.get(PciSpec.QUEUE_DRIVER, 8), "of another queue");
        for (int queue : new int[] {2, 3, 0x7fff, 0xffff}) {
            assertNoQueue(queue);
        }
    }

    private void assertNoQueue(int queue) {
        guest.select(queue);
        guest.put(PciSpec.QUEUE_SIZE, 2, 4);
        guest.put(PciSpec.QUEUE_DESC, 8, 0x1000);
        guest.put(PciSpec.QUEUE_MSIX_VECTOR, 2, 1);
        guest.put(PciSpec.QUEUE_ENABLE, 2, 1);
        guest.put(PciSpec.QUEUE_RESET, 2, 1);
        assertEquals(0, guest.get(PciSpec.QUEUE_SIZE, 2));
        assertEquals(0, guest.get(PciSpec.QUEUE_DESC, 8));
        assertEquals(0, guest.get(PciSpec.QUEUE_ENABLE, 2));
        assertEquals(0, guest.get(PciSpec.QUEUE_NOTIFY_OFF, 2));
        assertEquals(0, guest.get(PciSpec.QUEUE_RESET, 2));
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
    }

    @Test
    @DisplayName("4.1.4.3.2: a driver must not write 0 to queue_enable, so nothing but 1 does anything")
    void shouldNotDisableAQueue() {
        guest.start();
        for (int value : new int[] {0, 2, 0xffff, 0x100}) {
            guest.select(1);
            guest.put(PciSpec.QUEUE_ENABLE, 2, value);
            assertEquals(1, guest.get(PciSpec.QUEUE_ENABLE, 2));
        }
        guest.kick(1);
        assertEquals(List.of(1), guest.device.kicks());
    }

    @Test
    void shouldHaveNoAdministrationQueue() {
        assertEquals(0, guest.get(PciSpec.ADMIN_QUEUE_INDEX, 2));
        assertEquals(0, guest.get(PciSpec.ADMIN_QUEUE_NUM, 2));
    }

    @Test
    @DisplayName("4.1.3.1: each field is accessed in its own width, and in no other")
    void shouldAnswerAFieldInItsOwnWidthAlone() {
        guest.start();
        guest.put(PciSpec.DEVICE_FEATURE_SELECT, 4, 1);
        for (int offset = 0; offset < 0x40; offset++) {
            for (int width : new int[] {0, 1, 2, 3, 4, 5, 8, 16, -1}) {
                boolean own = WIDTHS.getOrDefault(offset, 0) == width;
                boolean whole = width == 8 && (offset == 0x20 || offset == 0x28 || offset == 0x30);
                if (!own && !whole) {
                    assertEquals(0, guest.get(offset, width), "read " + width + " at " + offset);
                    assertWritesNothing(offset, width);
                }
            }
        }
    }

    private void assertWritesNothing(int offset, int width) {
        Map<Integer, Long> before = fields();
        guest.put(offset, width, 0);
        guest.put(offset, width, 0x0101_0101_0101_0101L);
        assertEquals(before, fields(), "write " + width + " at " + offset);
    }

    private Map<Integer, Long> fields() {
        Map<Integer, Long> fields = new TreeMap<>();
        WIDTHS.forEach((offset, width) -> fields.put(offset, guest.get(offset, width)));
        return fields;
    }

    @Test
    @DisplayName("4.1.4.3.2: what is read-only stays as it is")
    void shouldKeepReadOnlyFields() {
        guest.start();
        for (int offset : new int[] {PciSpec.DEVICE_FEATURE, PciSpec.NUM_QUEUES, PciSpec.CONFIG_GENERATION,
                PciSpec.QUEUE_NOTIFY_OFF, PciSpec.QUEUE_NOTIF_CONFIG_DATA, PciSpec.ADMIN_QUEUE_INDEX,
                PciSpec.ADMIN_QUEUE_NUM}) {
            int width = WIDTHS.getOrDefault(offset, 0);
            long before = guest.get(offset, width);
            guest.put(offset, width, ~before);
            assertEquals(before, guest.get(offset, width), "offset " + offset);
        }
    }

    @Test
    @DisplayName("4.1.4.3.1: config_generation has 8 bits, and changes when a changed configuration was read")
    void shouldShowTheLowByteOfTheGeneration() {
        guest.start();
        for (int change = 1; change <= 600; change++) {
            guest.context().configChanged();
            long before = guest.get(PciSpec.CONFIG_GENERATION, 1);
            guest.function.readBar(PciGuest.VIRTIO_BAR, guest.config, 4);
            assertEquals((before + 1) & 0xff, guest.get(PciSpec.CONFIG_GENERATION, 1));
        }
    }

    @Test
    void shouldAnswerWithNothingBetweenTheStructures() {
        guest.start();
        long size = guest.function.barSize(PciGuest.VIRTIO_BAR);
        for (long offset : new long[] {0x40, 0x44, 0xffc, 0x1001, 0x1004, 0x1ffc, 0x2000 + RecordingDevice.CONFIG_SIZE,
                0x3000, 0x3004, size - 4, size, size + 4, -4, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            for (int width : new int[] {1, 2, 4, 8}) {
                assertEquals(0, guest.function.readBar(PciGuest.VIRTIO_BAR, offset, width),
                        "0x" + Long.toHexString(offset));
            }
        }
        for (long offset : new long[] {0x40, 0xffc, 0x1001, 0x1ffc, size, -4, Long.MIN_VALUE, Long.MAX_VALUE}) {
            guest.function.writeBar(PciGuest.VIRTIO_BAR, offset, 4, -1);
        }
        assertEquals(PciSpec.RUNNING, guest.get(PciSpec.DEVICE_STATUS, 1));
        assertEquals(List.of(), guest.device.kicks());
    }
}
