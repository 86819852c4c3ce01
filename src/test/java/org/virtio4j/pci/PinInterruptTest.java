// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.SilentDevice;

/** Section 4.1.4.5: ISR status and the pin, which count while MSI-X is disabled. */
class PinInterruptTest {

    private static final int ON = PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER;

    private final PciGuest guest = PciGuest.sendingMessages();

    @BeforeEach
    void start() {
        guest.start();
    }

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("4.1.4.5.1: reading ISR status returns it, clears it and lowers the pin")
    void shouldHoldThePinUntilIsrStatusIsRead() {
        guest.context().interrupt(0);
        assertTrue(guest.pin());
        assertTrue(guest.interruptStatus());
        guest.context().configChanged();
        guest.context().interrupt(1);
        assertEquals(3, guest.isr());
        assertFalse(guest.pin());
        assertFalse(guest.interruptStatus());
        assertEquals(0, guest.isr());
        assertEquals(List.of(true, false), guest.levels.subList(guest.levels.lastIndexOf(true), guest.levels.size()));
        assertEquals(List.of(), guest.messages);
    }

    @Test
    void shouldClearIsrStatusByAByteReadAlone() {
        guest.context().interrupt(0);
        for (int width : new int[] {0, 2, 3, 4, 8}) {
            assertEquals(0, guest.function.readBar(PciGuest.VIRTIO_BAR, guest.isr, width));
        }
        guest.function.writeBar(PciGuest.VIRTIO_BAR, guest.isr, 1, 0xff);
        assertTrue(guest.pin());
        assertEquals(1, guest.isr());
    }

    @Test
    @DisplayName("PCI 6.2.2: INTX_DISABLE keeps the pin low, and the status bit shows the interrupt all the same")
    void shouldKeepThePinLowWhenItIsDisabled() {
        guest.command(ON | PciSpec.INTX_DISABLE);
        guest.context().interrupt(0);
        assertFalse(guest.pin());
        assertTrue(guest.interruptStatus());
        guest.command(ON);
        assertTrue(guest.pin());
        guest.command(ON | PciSpec.INTX_DISABLE);
        assertFalse(guest.pin());
        assertEquals(1, guest.isr());
        assertFalse(guest.interruptStatus());
    }

    @Test
    @DisplayName("4.1.4.5.1: with MSI-X enabled neither the pin nor the status bit shows an interrupt")
    void shouldLowerThePinWhenMessagesAreEnabled() {
        guest.context().interrupt(0);
        guest.messageControl(PciSpec.MSIX_ENABLE);
        assertFalse(guest.pin());
        assertFalse(guest.interruptStatus());
        guest.messageControl(0);
        assertTrue(guest.pin());
        assertTrue(guest.interruptStatus());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldLowerThePinWhenTheDeviceIsReset(ResetKind kind) {
        guest.context().interrupt(0);
        guest.function.reset(kind);
        assertFalse(guest.pin());
        assertFalse(guest.interruptStatus());
        guest.command(ON);
        assertEquals(0, guest.isr());
    }

    @Test
    void shouldCallThePinUnderNoLock() {
        VirtioPciFunction[] own = new VirtioPciFunction[1];
        own[0] = VirtioPciFunction.of(new SilentDevice(), DmaSpace.identity(guest.memory),
                PciInterrupts.messages(level -> {
                    Thread other = new Thread(() -> {
                        own[0].readConfig(0, 4);
                        own[0].readBar(PciGuest.VIRTIO_BAR, guest.common + PciSpec.CONFIG_GENERATION, 1);
                    });
                    other.start();
                    assertTrue(joined(other), "another CPU waits for the thread that calls the pin");
                }));
        own[0].writeConfig(PciSpec.COMMAND, 2, ON);
        own[0].writeBar(PciGuest.VIRTIO_BAR, guest.common + PciSpec.DEVICE_STATUS, 1, 0);
        own[0].reset(ResetKind.FUNCTION);
    }

    private static boolean joined(Thread thread) {
        try {
            return thread.join(Duration.ofSeconds(20));
        } catch (InterruptedException stopped) {
            return false;
        }
    }
}
