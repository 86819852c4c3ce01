// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A function without MSI-X, whose events all share the pin. */
class PinOnlyTest {

    private final PciGuest guest = PciGuest.with(PciOptions.DEFAULT.withoutMessages());

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    void shouldHaveNeitherTheCapabilityNorABarForIt() {
        List<Integer> ids = guest.capabilities().stream().map(at -> guest.read(at, 1)).toList();
        assertEquals(List.of(PciSpec.CAP_EXPRESS, 9, 9, 9, 9, 9, PciSpec.CAP_POWER), ids);
        assertEquals(0, guest.function.vectorCount());
        assertEquals(0, guest.function.barSize(PciGuest.MSIX_BAR));
        guest.write(0x14, 4, -1);
        assertEquals(0, guest.read(0x14, 4), "BAR 1");
        guest.command(PciGuest.ON);
        assertEquals(0, guest.function.readBar(PciGuest.MSIX_BAR, 0, 4));
        guest.function.writeBar(PciGuest.MSIX_BAR, 0, 4, -1);
        assertEquals(0, guest.function.readBar(PciGuest.MSIX_BAR, 0, 4));
    }

    @Test
    @DisplayName("4.1.5.1.2.1: a vector that cannot be had reads back as NO_VECTOR")
    void shouldGiveNoVector() {
        guest.start();
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 0);
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.CONFIG_MSIX_VECTOR, 2));
        guest.select(0);
        guest.put(PciSpec.QUEUE_MSIX_VECTOR, 2, 1);
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2));
    }

    @Test
    @DisplayName("4.1.4.5.1: queues and configuration raise the pin, until ISR status is read")
    void shouldInterruptByThePin() {
        guest.start();
        guest.context().interrupt(0);
        assertTrue(guest.pin());
        guest.context().configChanged();
        assertEquals(3, guest.isr());
        assertFalse(guest.pin());
        assertEquals(List.of(), guest.messages);
    }

    @Test
    void shouldKeepNothingWhereTheCapabilityWouldBe() {
        for (int at = 0x40; at < 0x100; at += 4) {
            int before = guest.read(at, 4);
            guest.write(at, 4, 0xc000_0000);
            assertEquals(before & 0xc000_0000, guest.read(at, 4) & 0xc000_0000 & ~windowBits(at), "offset " + at);
        }
    }

    /** The window's offset, length and data are the only registers there that keep these bits. */
    private int windowBits(int at) {
        int window = guest.virtioCapability(PciSpec.CFG_PCI);
        return at > window && at < window + 20 ? 0xc000_0000 : 0;
    }

    @Test
    void shouldRefuseVectorsWithoutMessages() {
        assertThrows(IllegalArgumentException.class, () -> new PciOptions(2, false, true, false));
        assertThrows(IllegalArgumentException.class, () -> PciOptions.DEFAULT.withoutMessages().withVectorCount(2));
        assertEquals(0, PciOptions.DEFAULT.withVectorCount(7).withoutMessages().vectorCount());
        assertFalse(PciOptions.DEFAULT.withoutMessages().behindPort().messages());
        assertFalse(PciOptions.DEFAULT.withoutMessages().withMultifunction().messages());
    }
}
