// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.RegisterHandler;

class PciBusTest {

    private static final long MEMORY = 0x4000_0000L;
    private static final long FOUR_GIB = 0x1_0000_0000L;
    private static final long MEMORY_SIZE = 1 << 20;

    private final GuestMemory ram = GuestMemory.anonymous(0, 4096);
    private final PciBus bus = new PciBus(MEMORY, MEMORY_SIZE);
    private final RegisterHandler ecam = bus.ecam();
    private final RegisterHandler memory = bus.memory();

    @AfterEach
    void close() {
        ram.close();
    }

    @Test
    void shouldReadOnesWhereNothingIs() {
        assertEquals(0xffff_ffffL, ecam.read(0, 4));
        assertEquals(0xffff, ecam.read(0x8000, 2));
        assertEquals(0xff, memory.read(0, 1));
        assertEquals(-1, memory.read(MEMORY_SIZE + 8, 8));
        assertEquals(0, memory.read(0, 3));
        for (long offset : new long[] {-1, PciBus.ECAM_SIZE, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertEquals(0xffff_ffffL, ecam.read(offset, 4));
            ecam.write(offset, 4, -1);
            memory.write(offset, 4, -1);
        }
    }

    @Test
    void shouldFindAFunctionInItsPlace() {
        bus.add(31, 7, function());
        bus.add(3, 0, function());
        assertEquals(0x1044_1af4L, ecam.read(3 << 15, 4));
        assertEquals(0x1044_1af4L, ecam.read(31 << 15 | 7 << 12, 4));
        assertEquals(0xffff_ffffL, ecam.read(3 << 15 | 1 << 12, 4));
        assertEquals(0, ecam.read((3 << 15) + 0x100, 4), "extended configuration space is empty");
    }

    @Test
    void shouldSayThatASlotIsSharedOnlyWhenItIs() {
        bus.add(3, 0, function());
        bus.add(4, 0, function());
        bus.add(4, 7, function());
        assertEquals(0, ecam.read((3 << 15) + 0x0e, 1));
        assertEquals(0x80, ecam.read((4 << 15) + 0x0e, 1));
        assertEquals(0x80, ecam.read((4 << 15) + 0x0e, 2));
        assertEquals(0x80_0000, ecam.read((4 << 15) + 0x0c, 4));
        assertEquals(0, ecam.read((4 << 15 | 7 << 12) + 0x0e, 1));
    }

    @Test
    @DisplayName("PCIe 7.2.2: an access that configuration space does not take reads 0, whatever is in the slot")
    void shouldAddNothingToAnAnswerThatIsNone() {
        bus.add(4, 0, function());
        bus.add(4, 7, function());
        long slot = 4 << 15;
        assertEquals(0, ecam.read(slot + 0x08, 8));
        assertEquals(0, ecam.read(slot + 0x0d, 2));
        assertEquals(0, ecam.read(slot + 0x0b, 4));
        for (int width : new int[] {Integer.MIN_VALUE, -1, 0, 3, 5, 16, Integer.MAX_VALUE}) {
            for (int register = 0; register < 0x10; register++) {
                assertEquals(0, ecam.read(slot + register, width));
            }
        }
    }

    @Test
    void shouldRouteABarToWhereTheGuestHasPlacedIt() {
        bus.add(1, 0, function());
        bus.add(2, 0, function());
        place(1, 4, MEMORY + 0x4000);
        place(2, 4, MEMORY + 0x1_0000);
        assertEquals(2, memory.read(0x4012, 2));
        memory.write(0x1_0014, 1, 1);
        assertEquals(0, memory.read(0x4014, 1));
        assertEquals(1, memory.read(0x1_0014, 1));
        place(2, 4, MEMORY + 0x2_0000);
        assertEquals(0xff, memory.read(0x1_0014, 1));
        assertEquals(1, memory.read(0x2_0014, 1));
        ecam.write((2 << 15) + 4, 2, 0);
        assertEquals(0xff, memory.read(0x2_0014, 1));
        memory.write(0x2_0014, 1, 0);
        ecam.write((2 << 15) + 4, 2, 2);
        assertEquals(1, memory.read(0x2_0014, 1));
    }

    @Test
    @DisplayName("Where a function was removed, its registers and BARs read all ones, and another can be added")
    void shouldReadOnesWhereAFunctionWas() {
        bus.add(1, 0, function());
        bus.add(2, 0, function());
        place(1, 4, MEMORY + 0x4000);
        place(2, 4, MEMORY + 0x1_0000);
        bus.remove(1, 0);
        assertEquals(0xffff_ffffL, ecam.read(1 << 15, 4));
        assertEquals(0xffff, memory.read(0x4012, 2));
        ecam.write((1 << 15) + 4, 2, 2);
        assertEquals(2, memory.read(0x1_0012, 2));
        assertThrows(IllegalArgumentException.class, () -> bus.remove(1, 0));
        assertThrows(IllegalArgumentException.class, () -> bus.remove(32, 0));
        bus.add(1, 0, function());
        assertEquals(0x1044_1af4L, ecam.read(1 << 15, 4));
        assertEquals(0xffff, memory.read(0x4012, 2), "its BARs are not placed yet");
    }

    @Test
    void shouldRouteNothingThatIsNotInsideTheWindow() {
        bus.add(1, 0, function());
        for (long address : new long[] {MEMORY - 0x4000, MEMORY + MEMORY_SIZE, 0x4000, -0x4000}) {
            place(1, 4, address);
            for (long offset = 0; offset < MEMORY_SIZE; offset += 0x4000) {
                assertEquals(0xffff_ffffL, memory.read(offset, 4));
            }
        }
        place(1, 4, MEMORY + MEMORY_SIZE - 0x4000);
        assertEquals(2, memory.read(MEMORY_SIZE - 0x4000 + 0x12, 2), "the last place there is");
    }

    @Test
    void shouldRefuseAPlaceThatCannotBeOrIsTaken() {
        assertThrows(IllegalArgumentException.class, () -> bus.add(32, 0, function()));
        assertThrows(IllegalArgumentException.class, () -> bus.add(-1, 0, function()));
        assertThrows(IllegalArgumentException.class, () -> bus.add(0, 8, function()));
        bus.add(0, 0, function());
        assertThrows(IllegalArgumentException.class, () -> bus.add(0, 0, function()));
        assertThrows(IllegalArgumentException.class, () -> new PciBus(0, 0));
        assertThrows(IllegalArgumentException.class, () -> new PciBus(-4096, 8192));
    }

    @Test
    @DisplayName("PCI 6.2.5.1: a function whose BARs no guest can place is refused, and the bus is as before")
    void shouldRefuseAFunctionWhoseBarsDoNotFit() {
        PciBus small = new PciBus(MEMORY, 0x4000 + 0x1000 + 0x4000);
        small.add(0, 0, function());
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> small.add(1, 0, function()));
        assertTrue(String.valueOf(refused.getMessage()).startsWith("memorySize=" + 0x9000), refused.getMessage());
        assertEquals(0xffff_ffffL, small.ecam().read(1 << 15, 4));
        new PciBus(MEMORY, 0xa000).add(0, 0, function());
        PciBus shifted = new PciBus(MEMORY + 0x1000, 0x5000);
        assertThrows(IllegalArgumentException.class, () -> shifted.add(0, 0, function()), "no aligned place");
        new PciBus(FOUR_GIB - 0x8000, 0x8000).add(0, 0, function());
    }

    @Test
    @DisplayName("PCI 6.2.5.1: a BAR of 32 bits, which the MSI-X table has, needs a place below 4 GiB")
    void shouldRefuseAFunctionWithoutRoomBelowFourGib() {
        for (long start : new long[] {FOUR_GIB, FOUR_GIB - 0x800, 1L << 40, -0x8000}) {
            PciBus high = new PciBus(start, 0x8000);
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> high.add(0, 0, function()));
            assertTrue(String.valueOf(refused.getMessage()).startsWith("memoryStart=0x" + Long.toHexString(start)),
                    refused.getMessage());
            assertEquals(0xffff_ffffL, high.ecam().read(0, 4));
        }
        PciBus across = new PciBus(FOUR_GIB - 0x1000, 0x10_0000);
        across.add(0, 0, function());
        assertThrows(IllegalArgumentException.class, () -> across.add(1, 0, function()));
        PciDriverTransport placed =
                new PciHost(across.ecam(), across.memory(), FOUR_GIB - 0x1000, 0x10_0000).scan().getFirst();
        assertEquals(4, placed.deviceType(), "an entropy source, found where its BARs were placed");
    }

    @Test
    void shouldRefuseAFunctionInTwoPlaces() {
        VirtioPciFunction twice = function();
        bus.add(0, 0, twice);
        assertThrows(IllegalArgumentException.class, () -> bus.add(1, 0, twice));
        assertEquals(0xffff_ffffL, ecam.read(1 << 15, 4));
    }

    private VirtioPciFunction function() {
        RecordingDevice device = new RecordingDevice(Features.NONE);
        return VirtioPciFunction.of(device, DmaSpace.identity(ram), PciInterrupts.messages());
    }

    private void place(int device, int bar, long address) {
        long at = ((long) device << 15) + 0x10 + 4L * bar;
        ecam.write(at, 4, address & 0xffff_ffffL);
        ecam.write(at + 4, 4, address >>> 32);
        ecam.write(((long) device << 15) + 4, 2, 2);
    }
}
