// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.pci.PciGuest.message;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.DriverRing;

/** PCI Bus Power Management 1.2, and PCI Express 3.0, section 5.3.1: D0 and D3hot, which every function has. */
class PowerManagementTest {

    private static final int D0 = 0;
    private static final int D3_HOT = 3;

    private final PciGuest guest = PciGuest.sendingMessages();

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("PM 3.2.3, 3.2.4: version 1.2, no D1 or D2, no events, and nothing lost on the way back")
    void shouldSayWhatThereIs() {
        int power = guest.capability(PciSpec.CAP_POWER);
        assertEquals(0x0003, guest.read(power + 2, 2));
        assertEquals(0x0008, guest.read(power + 4, 4));
        guest.write(power + 4, 4, 0xffff_ffff);
        assertEquals(0x000b, guest.read(power + 4, 4), "the state alone can be written");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @DisplayName("PM 3.2.4: a state that is not supported changes nothing")
    void shouldStayWhereItIsWhenTheStateIsNotThere(int state) {
        for (int before : new int[] {D0, D3_HOT}) {
            guest.powerState(before);
            guest.powerState(state);
            assertEquals(8 | before, guest.read(guest.capability(PciSpec.CAP_POWER) + 4, 2));
        }
    }

    @Test
    @DisplayName("PM 5.4.1: asleep it answers in configuration space alone")
    void shouldAnswerToNobodyButConfigurationAccesses() {
        guest.start();
        guest.write(0x20, 4, 0xc000_0000);
        assertEquals(0xc000_0000L, guest.function.barAddress(PciGuest.VIRTIO_BAR));
        int window = guest.virtioCapability(PciSpec.CFG_PCI);
        guest.write(window + 4, 1, PciGuest.VIRTIO_BAR);
        guest.write(window + 8, 4, PciSpec.DEVICE_STATUS);
        guest.write(window + 12, 4, 1);
        assertEquals(PciSpec.RUNNING, guest.read(window + 16, 1));
        guest.powerState(D3_HOT);
        assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(PciGuest.VIRTIO_BAR));
        assertEquals(0xff, guest.get(PciSpec.DEVICE_STATUS, 1));
        assertEquals(-1, guest.readTable(0, 8));
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        guest.write(window + 16, 1, 0);
        assertEquals(0, guest.read(window + 16, 1));
        assertEquals(0x1044_1af4, guest.read(0, 4));
        assertEquals(PciGuest.ON, guest.read(PciSpec.COMMAND, 2), "the register keeps what was written");
        guest.powerState(D0);
        assertEquals(PciSpec.RUNNING, guest.get(PciSpec.DEVICE_STATUS, 1));
        assertEquals(PciSpec.RUNNING, guest.read(window + 16, 1));
    }

    @Test
    @DisplayName("PM 5.4.1: asleep it reaches no memory, and awake it goes on as it was")
    void shouldReachNoMemoryAndLoseNothing() {
        DriverRing ring = guest.start();
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 1);
        guest.powerState(D3_HOT);
        PciGuest.offer(ring, 0);
        guest.device.kicked(0);
        assertEquals(0, ring.usedIndex());
        guest.command(PciSpec.MEMORY_SPACE);
        guest.command(PciGuest.ON);
        guest.device.kicked(0);
        assertEquals(0, ring.usedIndex(), "bus mastering does not wake it");
        guest.powerState(D0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(1, guest.get(PciSpec.CONFIG_MSIX_VECTOR, 2));
        assertEquals(List.of(), guest.device.resets());
    }

    @Test
    @DisplayName("PM 5.4.1: asleep it sends no message, and awake it sends what was raised meanwhile")
    void shouldHoldMessagesBack() {
        guest.start();
        guest.useMessages();
        guest.powerState(D3_HOT);
        guest.context().configChanged();
        guest.command(PciGuest.ON | PciSpec.INTX_DISABLE);
        assertEquals(List.of(), guest.messages);
        guest.powerState(D0);
        assertEquals(List.of(message(0)), guest.takeMessages());
        assertEquals(0, guest.pending());
    }

    @Test
    void shouldHoldVectorsBackForAnEmbedderWhoKeepsTheTable() {
        try (PciGuest keeper = PciGuest.handingOverVectors()) {
            keeper.start();
            keeper.useMessages();
            keeper.powerState(D3_HOT);
            keeper.context().configChanged();
            keeper.context().configChanged();
            keeper.context().interrupt(1);
            assertEquals(List.of(), keeper.vectors);
            keeper.powerState(D0);
            assertEquals(List.of(0, 2), keeper.vectors);
            keeper.powerState(D3_HOT);
            keeper.context().configChanged();
            keeper.function.reset(ResetKind.FUNCTION);
            keeper.command(PciGuest.ON);
            assertEquals(List.of(0, 2), keeper.vectors);
        }
    }

    @Test
    @DisplayName("PM 5.4.1: asleep it keeps its pin low")
    void shouldKeepThePinLow() {
        guest.start();
        guest.context().interrupt(0);
        assertTrue(guest.pin());
        guest.powerState(D3_HOT);
        assertFalse(guest.pin());
        guest.context().configChanged();
        assertFalse(guest.pin());
        guest.powerState(D0);
        assertTrue(guest.pin());
        assertEquals(3, guest.isr());
        assertFalse(guest.pin());
    }

    @ParameterizedTest
    @EnumSource(value = ResetKind.class, names = "DEVICE", mode = EnumSource.Mode.EXCLUDE)
    @DisplayName("PCIe 6.6.2: a reset of the function wakes it")
    void shouldBeAwakeAfterAReset(ResetKind kind) {
        guest.start();
        guest.powerState(D3_HOT);
        if (kind == ResetKind.FUNCTION) {
            guest.functionReset();
        } else {
            guest.function.reset(kind);
        }
        assertEquals(8, guest.read(guest.capability(PciSpec.CAP_POWER) + 4, 2));
        DriverRing ring = guest.start();
        PciGuest.offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
    }
}
