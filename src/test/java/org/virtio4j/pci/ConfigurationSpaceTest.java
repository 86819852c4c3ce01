// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.vmm.ReaderCount;
import org.virtio4j.wire.FeatureBit;

/** What a guest learns of a function before it maps anything, and what of it can be written. */
class ConfigurationSpaceTest {

    private final PciGuest guest = PciGuest.sendingMessages();

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("4.1.2.1: vendor 1af4, device 1040 and its type, revision 1, subsystem 40 or higher")
    void shouldIdentifyItselfAsAModernDevice() {
        assertEquals(0x1af4, guest.read(0x00, 2));
        assertEquals(0x1044, guest.read(0x02, 2), "an entropy source");
        assertEquals(1, guest.read(0x08, 1));
        assertEquals(0x1af4, guest.read(0x2c, 2));
        assertTrue(guest.read(0x2e, 2) >= 0x40);
        assertEquals(0, guest.read(0x0e, 1), "header type 0, alone in its slot");
        assertEquals(0x10, guest.read(PciSpec.STATUS, 2), "there is a capability list");
        assertEquals(0, guest.read(PciSpec.COMMAND, 2), "everything is off after power-on");
        assertEquals(1, guest.read(0x3d, 1), "INTA");
    }

    @Test
    @DisplayName("4.1.4: one capability for each structure, which lie apart in the BAR")
    void shouldListEachStructureOnce() {
        List<Integer> ids = guest.capabilities().stream().map(at -> guest.read(at, 1)).toList();
        List<Integer> types = guest.capabilities().stream().filter(at -> guest.read(at, 1) == PciSpec.CAP_VENDOR)
                .map(at -> guest.read(at + 3, 1)).sorted().toList();
        assertEquals(List.of(PciSpec.CAP_EXPRESS, PciSpec.CAP_MSIX, 9, 9, 9, 9, 9, PciSpec.CAP_POWER), ids,
                "PCI Express asks for power management (section 7.6)");
        assertEquals(List.of(1, 2, 3, 4, 5), types);
        long end = 0;
        for (int type : new int[] {PciSpec.CFG_COMMON, PciSpec.CFG_ISR, PciSpec.CFG_DEVICE, PciSpec.CFG_NOTIFY}) {
            int at = guest.virtioCapability(type);
            assertEquals(0, at % 4);
            assertTrue(guest.read(at + 8, 4) >= end, "structures overlap");
            assertEquals(0, guest.read(at + 8, 4) % 4, "aligned to 4 bytes");
            end = (long) guest.read(at + 8, 4) + guest.read(at + 12, 4);
        }
        assertTrue(end <= guest.function.barSize(PciGuest.VIRTIO_BAR));
    }

    @Test
    @DisplayName("4.1.4.1: cap_len counts the extra data; no capability overlaps another or leaves the first 256 bytes")
    void shouldSayHowLongEachCapabilityIs() {
        List<Integer> owner = new ArrayList<>();
        for (int at : guest.capabilities()) {
            int length = switch (guest.read(at, 1)) {
                case PciSpec.CAP_EXPRESS -> 0x3c;
                case PciSpec.CAP_MSIX -> 12;
                case PciSpec.CAP_POWER -> 8;
                default -> guest.read(at + 2, 1);
            };
            for (int i = at; i < at + length; i++) {
                assertTrue(i >= 0x40 && i < 0x100 && !owner.contains(i), "byte " + i);
                owner.add(i);
            }
        }
        assertEquals(20, guest.read(guest.virtioCapability(PciSpec.CFG_NOTIFY) + 2, 1));
        assertEquals(20, guest.read(guest.virtioCapability(PciSpec.CFG_PCI) + 2, 1));
        assertEquals(16, guest.read(guest.virtioCapability(PciSpec.CFG_COMMON) + 2, 1));
    }

    @Test
    @DisplayName("4.1.4.4.1: an even power of two or 0 as the multiplier, and room for each queue's address")
    void shouldHaveRoomForEachNotification() {
        int at = guest.virtioCapability(PciSpec.CFG_NOTIFY);
        int multiplier = guest.read(at + 16, 4);
        assertEquals(1, Integer.bitCount(multiplier));
        assertEquals(0, multiplier % 4);
        guest.command(PciSpec.MEMORY_SPACE);
        for (int queue = 0; queue < 2; queue++) {
            guest.select(queue);
            assertTrue(guest.read(at + 12, 4) >= guest.get(PciSpec.QUEUE_NOTIFY_OFF, 2) * multiplier + 4);
        }
    }

    @Test
    @DisplayName("4.1.4.4.1: a device without queues has room for a notification all the same: 2 bytes or more")
    void shouldHaveRoomForANotificationWhenThereAreNoQueues() {
        VirtioPciFunction none = VirtioPciFunction.of(new SilentDevice() {
            @Override
            public DeviceInfo info() {
                return new DeviceInfo(4, List.of(), 0);
            }
        }, DmaSpace.identity(guest.memory), PciInterrupts.messages());
        long at = none.readConfig(0x34, 1);
        while (none.readConfig(at, 1) != PciSpec.CAP_VENDOR || none.readConfig(at + 3, 1) != PciSpec.CFG_NOTIFY) {
            at = none.readConfig(at + 1, 1);
        }
        assertTrue(none.readConfig(at + 12, 4) >= 2);
        none.writeConfig(PciSpec.COMMAND, 2, PciSpec.MEMORY_SPACE);
        none.writeBar(PciGuest.VIRTIO_BAR, none.readConfig(at + 8, 4), 2, 0);
        assertEquals(0, none.readBar(PciGuest.VIRTIO_BAR, guest.common + PciSpec.NUM_QUEUES, 2));
    }

    @Test
    @DisplayName("4.1.4.6: a device type without configuration has no capability for one")
    void shouldLeaveTheDeviceCapabilityOutWhenThereIsSilentDevice() {
        assertEquals(RecordingDevice.CONFIG_SIZE, guest.read(guest.virtioCapability(PciSpec.CFG_DEVICE) + 12, 4));
        VirtioPciFunction plain = VirtioPciFunction.of(new SilentDevice(), DmaSpace.identity(guest.memory),
                PciInterrupts.messages());
        for (long at = plain.readConfig(0x34, 1); at != 0; at = plain.readConfig(at + 1, 1)) {
            assertTrue(plain.readConfig(at, 1) != PciSpec.CAP_VENDOR
                    || plain.readConfig(at + 3, 1) != PciSpec.CFG_DEVICE);
        }
        assertEquals(0, plain.readConfig(0x3d, 1), "and this one has no pin");
    }

    @Test
    @DisplayName("PCI 6.2.5.1: a BAR of 32 bits tells its size to who writes ones, and then takes an address")
    void shouldTellTheSizeOfABarWith32BitsAndTakeItsAddress() {
        int bar = PciGuest.MSIX_BAR;
        int at = 0x10 + 4 * bar;
        assertEquals(0, guest.read(at, 4), "32 bits, memory, not set");
        guest.write(at, 4, -1);
        guest.write(at + 4, 4, -1);
        assertEquals(guest.function.barSize(bar), -guest.read(at, 4));
        assertEquals(0, guest.read(at + 4, 4), "the next register is none");
        guest.command(PciSpec.MEMORY_SPACE);
        assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(bar), "a size is no place");
        guest.write(at, 4, 0xc000_0123);
        assertEquals(0xc000_0000L, guest.function.barAddress(bar));
        assertEquals(0xc000_0000, guest.read(at, 4));
        guest.command(0);
        assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(bar));
    }

    @Test
    @DisplayName("4.1.4: who counts BARs without the high halves finds the structures where the capabilities say")
    void shouldHaveNoWideBarBeforeTheOneOfTheStructures() {
        int counted = guest.read(guest.virtioCapability(PciSpec.CFG_COMMON) + 4, 1);
        for (int bar = 0; bar < counted; bar++) {
            assertEquals(0, guest.read(0x10 + 4 * bar, 4) & 6, "BAR " + bar + " has 32 bits, if it is one");
        }
    }

    @Test
    @DisplayName("PCIe 7.9.1: the extended capabilities are 3,840 bytes that can be read, and none of them is there")
    void shouldHaveAnEmptyListOfExtendedCapabilities() {
        for (int at = 0x100; at < 0x1000; at += 4) {
            guest.write(at, 4, -1);
            assertEquals(0, guest.read(at, 4));
        }
    }

    @Test
    @DisplayName("PCI 6.2.5.1: a BAR of 64 bits tells its size to who writes ones, and then takes an address")
    void shouldTellTheSizeOfABarWith64BitsAndTakeItsAddress() {
        int bar = PciGuest.VIRTIO_BAR;
        int at = 0x10 + 4 * bar;
        assertEquals(4, guest.read(at, 4), "64 bits, memory, not set");
        guest.write(at, 4, -1);
        guest.write(at + 4, 4, -1);
        long mask = (guest.read(at, 4) & 0xffff_fff0L) | (long) guest.read(at + 4, 4) << 32;
        assertEquals(guest.function.barSize(bar), -mask);
        assertEquals(1, Long.bitCount(-mask));
        guest.command(PciSpec.MEMORY_SPACE);
        assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(bar), "a size is no place");
        guest.write(at, 4, 0xc000_0123);
        guest.write(at + 4, 4, 0x12);
        assertEquals(0x12_c000_0000L, guest.function.barAddress(bar));
        assertEquals(0xc000_0004, guest.read(at, 4));
        guest.command(0);
        assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(bar));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 2, 3, 5, 6, 0x7fff_ffff})
    void shouldHaveNoOtherBar(int bar) {
        guest.command(PciSpec.MEMORY_SPACE);
        assertEquals(0, guest.function.barSize(bar));
        assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(bar));
        assertEquals(0, guest.function.readBar(bar, 0, 4));
        guest.function.writeBar(bar, PciSpec.DEVICE_STATUS, 1, 1);
        assertEquals(0, guest.get(PciSpec.DEVICE_STATUS, 1));
    }

    @Test
    void shouldKeepWhatIsNotTheGuestsToWrite() {
        List<Integer> before = bytes();
        for (int at = 0; at < 0x100; at += 4) {
            boolean flr = at == guest.capability(PciSpec.CAP_EXPRESS) + 8;
            guest.write(at, 4, flr ? 0xffff_7fff : -1);
        }
        guest.command(0);
        guest.powerState(0);
        List<Integer> after = bytes();
        for (int at = 0; at < 0x100; at++) {
            if (!isWritable(at)) {
                assertEquals(before.get(at), after.get(at), "byte " + Integer.toHexString(at));
            }
        }
        guest.write(PciSpec.COMMAND, 2, 0xffff);
        assertEquals(0x546, guest.read(PciSpec.COMMAND, 2),
                "memory space, bus master, parity, SERR, INTx disable (PCIe 7.5.1.1)");
        assertEquals(0xff, guest.read(0x3c, 1), "the interrupt line is software's to keep");
    }

    private boolean isWritable(int at) {
        int msix = guest.capability(PciSpec.CAP_MSIX);
        int express = guest.capability(PciSpec.CAP_EXPRESS);
        int window = guest.virtioCapability(PciSpec.CFG_PCI);
        return at == 0x04 || at == 0x05 || at == 0x0c || at == 0x3c || (at >= 0x10 && at < 0x28)
                || at == msix + 3 || at == express + 8 || at == express + 9
                || at == window + 4 || (at >= window + 8 && at < window + 20);
    }

    private List<Integer> bytes() {
        List<Integer> bytes = new ArrayList<>();
        for (int at = 0; at < 0x100; at++) {
            bytes.add(guest.read(at, 1));
        }
        return bytes;
    }

    @Test
    void shouldReadAlikeInEveryWidth() {
        for (int at = 0; at < 0x100; at += 4) {
            int word = guest.read(at, 4);
            assertEquals(word & 0xffff, guest.read(at, 2));
            assertEquals(word >>> 16, guest.read(at + 2, 2));
            for (int i = 0; i < 4; i++) {
                assertEquals(word >>> (8 * i) & 0xff, guest.read(at + i, 1));
            }
        }
    }

    @Test
    void shouldAnswerOddAccessesWithNothing() {
        for (long offset : new long[] {-1, -4, 0x100, 0xffc, 0x1000, Long.MAX_VALUE, Long.MIN_VALUE}) {
            for (int width : new int[] {1, 2, 4, 8}) {
                assertEquals(0, guest.function.readConfig(offset, width));
                guest.function.writeConfig(offset, width, -1);
            }
        }
        for (int width : new int[] {0, 3, 5, 8, 16, -4, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertEquals(0, guest.function.readConfig(0, width));
            guest.function.writeConfig(PciSpec.COMMAND, width, -1);
        }
        assertEquals(0, guest.function.readConfig(1, 2));
        assertEquals(0, guest.function.readConfig(2, 4));
        guest.function.writeConfig(PciSpec.COMMAND - 1, 2, -1);
        assertEquals(0, guest.read(PciSpec.COMMAND, 2));
    }

    @Test
    void shouldSayWhatTheEmbedderChose() {
        try (PciGuest other = PciGuest.with(PciOptions.DEFAULT.withVectorCount(2048).withMultifunction()
                .behindPort())) {
            assertEquals(0x80, other.read(0x0e, 1));
            assertEquals(0x0002, other.read(other.capability(PciSpec.CAP_EXPRESS) + 2, 2), "version 2, endpoint");
            assertEquals(2047, other.read(other.capability(PciSpec.CAP_MSIX) + 2, 2));
            assertEquals(2048, other.function.vectorCount());
            assertEquals(2 * 2048 * 16, other.function.barSize(PciGuest.MSIX_BAR));
        }
        assertEquals(0x0092, guest.read(guest.capability(PciSpec.CAP_EXPRESS) + 2, 2), "integrated endpoint");
        assertEquals(3, guest.function.vectorCount(), "two queues and the configuration");
        assertEquals(1 << 28, guest.read(guest.capability(PciSpec.CAP_EXPRESS) + 4, 4) & 1 << 28, "FLR");
    }

    @Test
    @DisplayName("PCIe 7.8.6 to 7.8.8, 7.8.18: behind a port there is a link with a speed and a width")
    void shouldHaveALinkBehindAPortAlone() {
        try (PciGuest other = PciGuest.with(PciOptions.DEFAULT.behindPort())) {
            int express = other.capability(PciSpec.CAP_EXPRESS);
            int link = other.read(express + 0x0c, 4);
            assertEquals(0x11, link & 0x3ff, "2.5 GT/s, one lane");
            assertEquals(0, link & 0xc00, "no power management");
            assertEquals(1 << 22, link & 1 << 22, "which is optional");
            assertEquals(0x11, other.read(express + 0x12, 2) & 0x3ff, "as fast and wide as can be");
            assertEquals(2, other.read(express + 0x2c, 4), "2.5 GT/s");
            other.write(express + 0x10, 2, 0xffff);
            assertEquals(0xcb, other.read(express + 0x10, 2), "not to retrain or disable, which are a port's");
            other.functionReset();
            assertEquals(0, other.read(express + 0x10, 2));
        }
        int express = guest.capability(PciSpec.CAP_EXPRESS);
        for (int register : new int[] {0x0c, 0x10, 0x2c, 0x30}) {
            guest.write(express + register, 4, -1);
            assertEquals(0, guest.read(express + register, 4), "no link on the root bus");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1, 2049, Integer.MAX_VALUE})
    @DisplayName("4.1.5.1.2.1: 2 to 0x800 vectors")
    void shouldRefuseACountOfVectorsThatCannotBe(int count) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> PciOptions.DEFAULT.withVectorCount(count));
        assertTrue(String.valueOf(refused.getMessage()).startsWith("vectorCount=" + count));
    }

    @Test
    @DisplayName("4.1.2: device IDs end with 0x107f, and no driver looks behind")
    void shouldRefuseATypeThatHasNoDeviceId() {
        assertEquals(0x107f, VirtioPciFunction.of(typed(63), DmaSpace.identity(guest.memory), PciInterrupts.messages())
                .readConfig(2, 2));
        for (int type : new int[] {64, 0xffff, Integer.MAX_VALUE}) {
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> VirtioPciFunction.of(
                    typed(type), DmaSpace.identity(guest.memory), PciInterrupts.messages()));
            assertTrue(String.valueOf(refused.getMessage()).startsWith("deviceType=" + type));
        }
    }

    private static SilentDevice typed(int type) {
        return new SilentDevice() {
            @Override
            public DeviceInfo info() {
                return new DeviceInfo(type, List.of(8), 0);
            }
        };
    }

    @Test
    void shouldRefuseADeviceThatNeedsRegistersWeDoNotHave() {
        for (int bit : new int[] {FeatureBit.ADMIN_VQ, FeatureBit.SR_IOV}) {
            RecordingDevice device = new RecordingDevice(Features.of(bit));
            assertThrows(IllegalArgumentException.class, () -> VirtioPciFunction.of(device,
                    DmaSpace.identity(guest.memory), new PciInterrupts(Optional.empty(), Optional.empty())));
        }
    }

    @Test
    @DisplayName("2.2: a device that offers what is not its to offer is refused, and no way for its messages is left")
    void shouldLeaveNothingOpenWhenADeviceIsRefused() {
        int before = ReaderCount.of(guest.memory.gracePeriods());
        RecordingDevice device = new RecordingDevice(Features.of(FeatureBit.ACCESS_PLATFORM));
        for (int i = 0; i < 2; i++) {
            assertThrows(IllegalArgumentException.class, () -> VirtioPciFunction.of(device,
                    DmaSpace.identity(guest.memory), PciInterrupts.messages()));
        }
        assertEquals(before, ReaderCount.of(guest.memory.gracePeriods()));
    }
}
