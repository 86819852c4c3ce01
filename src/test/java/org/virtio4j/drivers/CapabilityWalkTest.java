// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.PciStatus;
import org.virtio4j.wire.pci.VirtioCapability;

/** The ways in which drivers look for the structures in the capability list of a function; all find the same. */
class CapabilityWalkTest {

    private static final int BAR = 4;
    private static final int WORD_MASK = 0xfc;

    /** BAR, offset and length. */
    private record Place(int bar, long offset, long length) {
    }

    private static final List<Integer> TYPES = List.of(VirtioCapability.COMMON_CFG, VirtioCapability.NOTIFY_CFG,
            VirtioCapability.ISR_CFG, VirtioCapability.DEVICE_CFG);

    @TempDir
    @Nullable Path folder;

    private final GuestMemory memory = GuestMemory.anonymous(0, GuestMemory.PAGE_SIZE);
    private @Nullable VirtioBlock disk;
    private @Nullable VirtioPciFunction function;

    @BeforeEach
    void makeFunction() throws IOException {
        Path file = Objects.requireNonNull(folder).resolve("disk.img");
        Files.write(file, new byte[1 << 16]);
        disk = VirtioBlock.builder(file).queues(4).build();
        function = VirtioPciFunction.of(disk, DmaSpace.identity(memory),
                PciInterrupts.vectors(vector -> { }, level -> { }));
    }

    @AfterEach
    void close() throws IOException {
        Objects.requireNonNull(function).close();
        Objects.requireNonNull(disk).close();
        memory.close();
    }

    @Test
    @DisplayName("4.1.4: the structures of a function are where drivers hard-code them")
    void shouldHaveItsStructuresWhereDriversHardCodeThem() {
        assertEquals(new Place(BAR, 0x0000, 0x1000), wholePage(byId(VirtioCapability.COMMON_CFG)));
        assertEquals(new Place(BAR, 0x1000, 0x1000), wholePage(byId(VirtioCapability.ISR_CFG)));
        assertEquals(new Place(BAR, 0x2000, 0x1000), wholePage(byId(VirtioCapability.DEVICE_CFG)));
        assertEquals(new Place(BAR, 0x3000, 0x1000), wholePage(byId(VirtioCapability.NOTIFY_CFG)));
    }

    @Test
    @DisplayName("4.1.4: who takes the last structure of a kind finds the same as who takes the first")
    void shouldListNoStructureTwice() {
        Map<Integer, Place> last = new HashMap<>();
        for (int at = first(); at != 0; at = next(at)) {
            if (u8(at + PciCapability.ID) == PciCapability.VENDOR_SPECIFIC) {
                last.put(u8(at + VirtioCapability.CFG_TYPE), place(at));
            }
        }
        for (int type : TYPES) {
            assertEquals(byId(type), last.get(type));
        }
    }

    @Test
    @DisplayName("4.1.4: who looks at no capability's kind finds nothing else, whether or not messages are enabled")
    void shouldBeFoundByWhoLooksAtNoCapabilitysKind() {
        for (int control : List.of(0, MsixCapability.ENABLE, MsixCapability.ENABLE | MsixCapability.FUNCTION_MASK)) {
            enableMessages(control);
            for (int type : TYPES) {
                assertEquals(byId(type), byTypeAlone(first(), type));
                assertEquals(byId(type), byTypeAlone(firstOfVendor(), type));
            }
        }
    }

    @Test
    @DisplayName("4.1.4.1: no structure's capability is longer than what drivers make room for")
    void shouldHaveCapabilitiesOfTheLengthThatDriversHaveRoomFor() {
        for (int at = first(); at != 0; at = next(at)) {
            if (u8(at + PciCapability.ID) == PciCapability.VENDOR_SPECIFIC) {
                int type = u8(at + VirtioCapability.CFG_TYPE);
                boolean extended = type == VirtioCapability.NOTIFY_CFG || type == VirtioCapability.PCI_CFG;
                assertEquals(extended ? VirtioCapability.EXTENDED_SIZE : VirtioCapability.SIZE,
                        u8(at + VirtioCapability.CAP_LEN));
            }
        }
    }

    @Test
    @DisplayName("4.1.2.1: one driver wants revision 1 and no other, another one a subsystem of 40 or higher")
    void shouldBeOfTheRevisionAndSubsystemThatDriversAskFor() {
        assertEquals(1, u8(PciHeader.REVISION_ID));
        assertTrue(config(PciHeader.SUBSYSTEM_ID, Short.BYTES) >= 0x40);
        assertNotEquals(0, config(PciHeader.STATUS, Short.BYTES) & PciStatus.CAPABILITY_LIST);
    }

    /** As the text has it: the first of the kind. */
    private Place byId(int type) {
        for (int at = first(); at != 0; at = next(at)) {
            if (u8(at + PciCapability.ID) == PciCapability.VENDOR_SPECIFIC
                    && u8(at + VirtioCapability.CFG_TYPE) == type) {
                return place(at);
            }
        }
        throw new AssertionError("there is no structure of type " + type);
    }

    /** Takes the fourth byte of any capability for the type of a structure. */
    private Place byTypeAlone(int start, int type) {
        for (int at = start; at != 0; at = next(at) & WORD_MASK) {
            if (u8(at + VirtioCapability.CFG_TYPE) == type) {
                return place(at);
            }
        }
        throw new AssertionError("there is no structure of type " + type);
    }

    private void enableMessages(int control) {
        for (int at = first(); at != 0; at = next(at)) {
            if (u8(at + PciCapability.ID) == PciCapability.MSIX) {
                Objects.requireNonNull(function)
                        .writeConfig(at + MsixCapability.MESSAGE_CONTROL, Short.BYTES, control);
            }
        }
    }

    private static Place wholePage(Place place) {
        return new Place(place.bar(), place.offset(), (place.length() + 0xfff) & ~0xfffL);
    }

    private Place place(int at) {
        return new Place(u8(at + VirtioCapability.BAR), config(at + VirtioCapability.OFFSET, Integer.BYTES),
                config(at + VirtioCapability.LENGTH, Integer.BYTES));
    }

    private int first() {
        return u8(PciHeader.CAPABILITIES);
    }

    private int firstOfVendor() {
        int at = first();
        while (u8(at + PciCapability.ID) != PciCapability.VENDOR_SPECIFIC) {
            at = next(at);
        }
        return at;
    }

    private int next(int at) {
        return u8(at + PciCapability.NEXT);
    }

    private int u8(long offset) {
        return (int) config(offset, Byte.BYTES);
    }

    private long config(long offset, int width) {
        return Objects.requireNonNull(function).readConfig(offset, width);
    }
}
