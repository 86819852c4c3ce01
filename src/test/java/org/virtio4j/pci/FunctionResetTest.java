// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.DriverRing;

/** The function's own reset by its PCI Express capability (PCI Express 3.0, section 6.6.2), and the machine's. */
class FunctionResetTest {

    private final PciGuest guest = PciGuest.sendingMessages();

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("PCIe 6.6.2: FLR brings device and registers back to where they were after power-on")
    void shouldClearEverythingWhenTheGuestAsksForIt() {
        List<Integer> fresh = bytes();
        disturb();
        guest.functionReset();
        assertEquals(List.of(ResetKind.FUNCTION), guest.device.resets());
        assertEquals(fresh, bytes());
        assertEquals(0xffff_ffffL, guest.get(PciSpec.DEVICE_FEATURE_SELECT, 4), "memory space is off");
        guest.command(PciSpec.MEMORY_SPACE);
        assertEquals(0, guest.get(PciSpec.DEVICE_STATUS, 1));
        assertEquals(PciSpec.NO_VECTOR, guest.get(PciSpec.CONFIG_MSIX_VECTOR, 2));
        assertEquals(0, guest.pending());
    }

    @Test
    @DisplayName("PCIe 7.8.4: the bit that starts it reads 0, and writing 0 to it starts nothing")
    void shouldReadTheInitiateBitAsZero() {
        int control = guest.capability(PciSpec.CAP_EXPRESS) + 8;
        guest.write(control, 2, 0x7fff);
        assertEquals(List.of(), guest.device.resets());
        assertEquals(0x78ff, guest.read(control, 2));
        guest.write(control + 1, 1, 0x80);
        assertEquals(List.of(ResetKind.FUNCTION), guest.device.resets(), "the upper byte alone will do");
        assertEquals(0, guest.read(control, 2) & 0x8000);
    }

    @Test
    void shouldLeaveConfigurationSpaceAloneWhenOnlyTheDeviceIsReset() {
        disturb();
        List<Integer> before = bytes();
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        guest.function.reset(ResetKind.DEVICE);
        assertEquals(before, bytes());
    }

    @Test
    void shouldRunAgainAfterEachKindOfReset() {
        for (ResetKind kind : ResetKind.values()) {
            disturb();
            guest.function.reset(kind);
            DriverRing ring = guest.start();
            PciGuest.offer(ring, 0);
            guest.kick(0);
            assertEquals(1, ring.usedIndex());
        }
    }

    @Test
    void shouldSayWhyADeviceNeedsAReset() {
        guest.start();
        guest.context().needsReset("on purpose");
        assertEquals("on purpose", guest.function.needsResetReason());
        assertEquals(PciSpec.RUNNING | PciSpec.NEEDS_RESET, guest.get(PciSpec.DEVICE_STATUS, 1));
        guest.functionReset();
        assertEquals("", guest.function.needsResetReason());
    }

    /** A driver that has used everything there is. */
    private void disturb() {
        guest.write(0x10, 4, 0x8000_0000);
        guest.write(0x20, 4, 0x9000_0000);
        guest.write(0x24, 4, 1);
        guest.write(0x3c, 1, 11);
        guest.start();
        guest.messageControl(PciSpec.MSIX_ENABLE);
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 1);
        guest.context().configChanged();
        guest.write(guest.virtioCapability(PciSpec.CFG_PCI) + 8, 4, 0x14);
        guest.device.take();
    }

    private List<Integer> bytes() {
        return IntStream.range(0, 256).mapToObj(at -> guest.read(at, 1)).toList();
    }
}
