// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.pci.ExpressCapability;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.MsixEntry;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.PowerCapability;
import org.virtio4j.wire.pci.VirtioCapability;

/** What a function's capability list says, read by walking it: where the structures are, and which bits are free. */
final class PciLayout {

    /** A structure inside a BAR. */
    record Structure(int bar, long offset, long length) { }

    /** Beside the types of {@link VirtioCapability}. */
    private static final int MSIX_TABLE = -1;
    private static final int MSIX_PENDING_BITS = -2;

    private static final int ALL = 0xffff_ffff;

    private final RegisterHandler config;
    private final Map<Integer, Structure> structures = new HashMap<>();
    private final int[] free = new int[(int) PciHeader.SPACE_SIZE / Integer.BYTES];
    private long multiplier;
    private long power;

    /** Of a function that is as after power-on. */
    PciLayout(RegisterHandler config) {
        this.config = config;
        header();
        for (long at = u8(PciHeader.CAPABILITIES); at != 0; at = u8(at + PciCapability.NEXT)) {
            switch (u8(at + PciCapability.ID)) {
                case PciCapability.VENDOR_SPECIFIC -> structure(at);
                case PciCapability.MSIX -> messages(at);
                case PciCapability.POWER_MANAGEMENT -> power(at);
                case PciCapability.EXPRESS -> free[word(at + ExpressCapability.DEVICE_CONTROL)] = 0xffff;
                default -> {
                    // Nothing in it can be written.
                }
            }
        }
    }

    /** One of {@link VirtioCapability}'s types. */
    Structure structure(int type) {
        Structure found = structures.get(type);
        if (found == null) {
            throw new AssertionError("there is no structure of type " + type);
        }
        return found;
    }

    /** Bytes between two notification addresses. */
    long multiplier() {
        return multiplier;
    }

    /** Every second byte of a BAR that means something. */
    List<Long> places(int bar) {
        List<Long> places = new ArrayList<>();
        for (Structure structure : structures.values()) {
            for (long at = 0; structure.bar() == bar && at < structure.length(); at += Short.BYTES) {
                places.add(structure.offset() + at);
            }
        }
        return places;
    }

    /** A word of configuration space without the bits that a guest may write, and without those that tell of events. */
    long fixed(int word) {
        return config.read((long) word * Integer.BYTES, Integer.BYTES) & ~free[word] & 0xffff_ffffL;
    }

    private void header() {
        // The command register and the interrupt status; cache line size; the interrupt line.
        free[word(PciHeader.COMMAND)] = 0xffff | 1 << (16 + 3);
        free[word(PciHeader.CACHE_LINE_SIZE)] = 0xff;
        free[word(PciHeader.INTERRUPT_LINE)] = 0xff;
        for (int bar = 0; bar < PciHeader.BARS; bar++) {
            long at = PciHeader.BAR_0 + bar * PciHeader.BAR_SIZE;
            boolean memory64 = (config.read(at, Integer.BYTES) & PciHeader.BAR_TYPE_MASK) == PciHeader.BAR_MEMORY_64;
            if (memory64) {
                free[word(at)] = ~PciHeader.BAR_TYPE_MASK;
                free[word(at) + 1] = ALL;
                bar++;
            }
        }
    }

    /** Brings a function that a guest has put to sleep back to D0, as whoever enables it does first. */
    void wake() {
        config.write(power + PowerCapability.CONTROL, Short.BYTES, PowerCapability.D0);
    }

    private void power(long at) {
        power = at;
        free[word(at + PowerCapability.CONTROL)] = PowerCapability.STATE_MASK;
    }

    private void messages(long at) {
        free[word(at)] = (MsixCapability.ENABLE | MsixCapability.FUNCTION_MASK) << 16;
        int control = (int) config.read(at + MsixCapability.MESSAGE_CONTROL, Short.BYTES);
        int entries = (control & MsixCapability.LAST_ENTRY_MASK) + 1;
        structures.put(MSIX_TABLE, messages(at + MsixCapability.TABLE, entries * MsixEntry.SIZE));
        structures.put(MSIX_PENDING_BITS, messages(at + MsixCapability.PENDING_BITS, Long.BYTES));
    }

    private Structure messages(long at, long length) {
        long place = config.read(at, Integer.BYTES);
        return new Structure((int) (place & MsixCapability.BAR_MASK), place & ~MsixCapability.BAR_MASK, length);
    }

    private void structure(long at) {
        int type = u8(at + VirtioCapability.CFG_TYPE);
        if (type == VirtioCapability.PCI_CFG) {
            free[word(at + VirtioCapability.BAR)] = 0xff;
            free[word(at + VirtioCapability.OFFSET)] = ALL;
            free[word(at + VirtioCapability.LENGTH)] = ALL;
            free[word(at + VirtioCapability.PCI_CFG_DATA)] = ALL;
            return;
        }
        structures.putIfAbsent(type, new Structure(u8(at + VirtioCapability.BAR),
                config.read(at + VirtioCapability.OFFSET, Integer.BYTES),
                config.read(at + VirtioCapability.LENGTH, Integer.BYTES)));
        if (type == VirtioCapability.NOTIFY_CFG) {
            multiplier = config.read(at + VirtioCapability.NOTIFY_OFF_MULTIPLIER, Integer.BYTES);
        }
    }

    private int u8(long offset) {
        return (int) config.read(offset, Byte.BYTES);
    }

    private static int word(long offset) {
        return (int) (offset / Integer.BYTES);
    }
}
