// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.virtio4j.pci.PciGuest.message;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.DriverRing;

/** MSI-X: section 4.1.5.1.2 of virtio 1.4, and section 6.8.2 of PCI Local Bus 3.0. */
class MessageInterruptTest {

    private final PciGuest guest = PciGuest.sendingMessages();
    private final DriverRing ring;

    MessageInterruptTest() {
        ring = guest.start();
        guest.messageControl(PciSpec.MSIX_ENABLE);
        for (int vector = 0; vector < 3; vector++) {
            guest.point(vector);
        }
        mapEventsToTheirVectors();
    }

    private void mapEventsToTheirVectors() {
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 0);
        for (int queue = 0; queue < 2; queue++) {
            guest.select(queue);
            guest.put(PciSpec.QUEUE_MSIX_VECTOR, 2, queue + 1);
        }
    }

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("4.1.5.3: a used buffer sends the message of the queue's vector, a changed configuration that of its")
    void shouldSendTheMessageOfTheVector() {
        PciGuest.offer(ring, 0);
        guest.kick(0);
        assertEquals(List.of(message(1)), guest.takeMessages());
        guest.context().interrupt(1);
        guest.context().configChanged();
        assertEquals(List.of(message(2), message(0)), guest.takeMessages());
        guest.context().needsReset("on purpose");
        assertEquals(List.of(message(0)), guest.takeMessages());
        assertFalse(guest.pin(), "the pin is not used");
        assertFalse(guest.interruptStatus());
    }

    @Test
    @DisplayName("4.1.4.5.1: with MSI-X the configuration bit of ISR status is set, that of queues is not")
    void shouldSetOnlyTheConfigurationBitOfIsrStatus() {
        guest.context().interrupt(0);
        assertEquals(0, guest.isr());
        guest.context().configChanged();
        assertEquals(2, guest.isr());
        assertEquals(0, guest.isr());
    }

    @Test
    @DisplayName("4.1.5.1.2.1: any event can be mapped to any vector, several to one")
    void shouldMapAnyEventToAnyVector() {
        for (int vector = 0; vector < 3; vector++) {
            guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, vector);
            guest.select(0);
            guest.put(PciSpec.QUEUE_MSIX_VECTOR, 2, vector);
            assertEquals(vector, guest.get(PciSpec.CONFIG_MSIX_VECTOR, 2));
            assertEquals(vector, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
            guest.context().configChanged();
            guest.context().interrupt(0);
            assertEquals(List.of(message(vector), message(vector)), guest.takeMessages());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 0x7ff, 0x800, 0x8000, 0xfffe, 0xffff})
    @DisplayName("4.1.5.1.2.1: a mapping that fails reads back NO_VECTOR, and NO_VECTOR interrupts nobody")
    void shouldReadBackNoVectorWhenAMappingFails(int vector) {
        guest.select(1);
        guest.put(PciSpec.QUEUE_MSIX_VECTOR, 2, vector);
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, vector);
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.CONFIG_MSIX_VECTOR, 2));
        guest.context().interrupt(1);
        guest.context().configChanged();
        assertEquals(List.of(), guest.messages);
        assertFalse(guest.pin());
        guest.select(0);
        assertEquals(1, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2), "another queue keeps its own");
    }

    @Test
    @DisplayName("4.1.5.1.2.1: every event is unmapped by a reset")
    void shouldUnmapEveryEventWhenTheDeviceIsReset() {
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.CONFIG_MSIX_VECTOR, 2));
        for (int queue = 0; queue < 2; queue++) {
            guest.select(queue);
            assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
        }
    }

    @Test
    void shouldUnmapAQueueWhenItIsReset() {
        guest.select(0);
        guest.put(PciSpec.QUEUE_RESET, 2, 1);
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
        guest.select(1);
        assertEquals(2, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
    }

    @Test
    @DisplayName("PCI 6.8.2: a masked vector sets its pending bit, once, and sends when it is unmasked")
    void shouldHoldAMaskedVectorBack() {
        guest.mask(1, true);
        guest.context().interrupt(0);
        guest.context().interrupt(0);
        guest.context().interrupt(1);
        assertEquals(List.of(message(2)), guest.takeMessages());
        assertEquals(0b010, guest.pending());
        guest.mask(1, false);
        assertEquals(List.of(message(1)), guest.takeMessages());
        assertEquals(0, guest.pending());
        guest.mask(1, true);
        guest.mask(1, false);
        assertEquals(List.of(), guest.messages);
    }

    @Test
    @DisplayName("PCI 6.8.2: the function's mask holds all vectors back, whatever their own say")
    void shouldHoldEveryVectorBackWhenTheFunctionIsMasked() {
        guest.messageControl(PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL);
        guest.mask(0, true);
        guest.context().configChanged();
        guest.context().interrupt(0);
        guest.context().interrupt(1);
        assertEquals(List.of(), guest.messages);
        assertEquals(0b111, guest.pending());
        guest.messageControl(PciSpec.MSIX_ENABLE);
        assertEquals(List.of(message(1), message(2)), guest.takeMessages());
        assertEquals(0b001, guest.pending(), "its own mask is left");
        guest.mask(0, false);
        assertEquals(List.of(message(0)), guest.takeMessages());
    }

    @Test
    void shouldSendToWhereTheEntryPointsWhenItIsUnmasked() {
        guest.mask(1, true);
        guest.context().interrupt(0);
        guest.entry(1, PciGuest.DOORBELL + 0x123, 0xffff_ffff, 0);
        assertEquals(List.of(new PciGuest.Message(PciGuest.REQUESTER, PciGuest.DOORBELL + 0x120, -1)),
                guest.takeMessages(), "the low two bits of an address are not there");
    }

    @Test
    @DisplayName("2.4.1: after a reset no interrupt of before is sent")
    void shouldWithdrawWhatIsPendingWhenTheDeviceIsReset() {
        guest.mask(1, true);
        guest.context().interrupt(0);
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        assertEquals(0, guest.pending());
        guest.mask(1, false);
        assertEquals(List.of(), guest.messages);
    }

    @Test
    @DisplayName("4.1.4.2, bus mastering: a function that may not write memory sends nothing, and sends it later")
    void shouldHoldMessagesBackWhenBusMasteringIsOff() {
        guest.command(PciSpec.MEMORY_SPACE);
        guest.context().interrupt(0);
        guest.context().interrupt(1);
        assertEquals(List.of(), guest.messages);
        assertEquals(0b110, guest.pending());
        guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
        assertEquals(List.of(message(1), message(2)), guest.takeMessages());
        assertEquals(0, guest.pending());
    }

    @Test
    void shouldCountMessagesThatLeadNowhere() {
        guest.entry(1, 0x10, 1, 0);
        guest.entry(2, PciGuest.RAM, 1, 0);
        guest.context().interrupt(0);
        guest.context().interrupt(1);
        assertEquals(2, guest.function.lostMessages());
        assertEquals(0, guest.ram.i32(PciGuest.RAM), "a message is no way to write to memory");
        assertEquals(0, guest.pending());
    }

    @Test
    @DisplayName("PCI 6.8.2: table entries are masked after a reset of the function")
    void shouldMaskEveryEntryWhenTheFunctionIsReset() {
        guest.function.reset(ResetKind.FUNCTION);
        guest.command(PciSpec.MEMORY_SPACE);
        for (int vector = 0; vector < 3; vector++) {
            assertEquals(0, guest.readTable(16L * vector, 8));
            assertEquals(1L << 32, guest.readTable(16L * vector + 8, 8));
        }
        assertEquals(2, guest.read(guest.capability(PciSpec.CAP_MSIX) + 2, 2), "disabled, three entries");
    }

    // The table as memory

    @Test
    @DisplayName("PCI 6.8.2: the table has aligned words of 4 or 8 bytes; of vector control only the mask is kept")
    void shouldTakeWordsOfFourAndEightBytes() {
        guest.messageControl(0);
        guest.writeTable(16, 8, 0x1234_5678_9abc_def0L);
        guest.writeTable(24, 8, 0xffff_ffff_cafe_f00dL);
        assertEquals(0x1234_5678_9abc_def0L, guest.readTable(16, 8));
        assertEquals(0x9abc_def0L, guest.readTable(16, 4));
        assertEquals(0x1_cafe_f00dL, guest.readTable(24, 8));
        assertEquals(1, guest.readTable(28, 4));
    }

    @Test
    @DisplayName("PCI 6.8.2: any other access of the table does nothing, and pending bits cannot be written")
    void shouldDropAccessesThatAreNotWords() {
        List<Long> before = table();
        for (int width : new int[] {-1, 0, 1, 2, 3, 5, 16}) {
            for (int offset = 0; offset < 48; offset++) {
                assertEquals(0, guest.readTable(offset, width));
                guest.writeTable(offset, width, -1);
            }
        }
        for (long offset : new long[] {1, 2, 3, 17, 20, 44}) {
            guest.writeTable(offset, 8, -1);
            assertEquals(0, guest.readTable(offset, 8));
        }
        for (long offset : new long[] {48, 52, 0x7f8, 0x800, 0x804, 0x808, 0xffc, 0x1000, -4, -8, Long.MIN_VALUE,
                Long.MAX_VALUE - 7}) {
            guest.writeTable(offset, 4, -1);
            guest.writeTable(offset, 8, -1);
            assertEquals(0, guest.readTable(offset, 4));
            assertEquals(0, guest.readTable(offset, 8));
        }
        assertEquals(before, table());
    }

    private List<Long> table() {
        List<Long> words = new ArrayList<>();
        for (int at = 0; at < 48; at += 4) {
            words.add(guest.readTable(at, 4));
        }
        return words;
    }

    @Test
    void shouldHavePendingBitsForEachOfManyVectors() {
        try (PciGuest many = PciGuest.with(PciOptions.DEFAULT.withVectorCount(130))) {
            many.start();
            many.messageControl(PciSpec.MSIX_ENABLE);
            long bits = many.read(many.capability(PciSpec.CAP_MSIX) + 8, 4) & ~7L;
            for (int vector : new int[] {0, 1, 31, 32, 63, 64, 127, 129}) {
                many.map(0, vector);
                many.context().interrupt(0);
                for (int word = 0; word < 4; word++) {
                    assertEquals(vector / 64 == word ? 1L << vector % 64 : 0, many.readTable(bits + 8L * word, 8));
                }
                assertEquals(1L << vector % 32, many.readTable(bits + vector / 32L * 4, 4));
            }
            many.map(1, 64);
            many.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 63);
            many.context().interrupt(1);
            many.context().configChanged();
            for (int vector = 0; vector < 130; vector++) {
                many.point(vector);
            }
            assertEquals(List.of(message(63), message(64), message(129)), many.takeMessages());
        }
    }

    @Test
    @DisplayName("vectors go to an embedder who keeps the table, whose entries are not masked here")
    void shouldHandVectorsOverWhenTheEmbedderKeepsTheTable() {
        try (PciGuest other = PciGuest.handingOverVectors()) {
            other.start();
            other.select(1);
            other.put(PciSpec.QUEUE_MSIX_VECTOR, 2, 2);
            other.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 0);
            other.context().interrupt(1);
            assertEquals(List.of(), other.vectors);
            assertEquals(true, other.pin());
            other.messageControl(PciSpec.MSIX_ENABLE);
            other.context().interrupt(1);
            other.context().interrupt(0);
            other.context().configChanged();
            assertEquals(List.of(2, 0), other.vectors);
            assertEquals(0, other.pending());
            assertEquals(false, other.pin());
        }
    }
}
