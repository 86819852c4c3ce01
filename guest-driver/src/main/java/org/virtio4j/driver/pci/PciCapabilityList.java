// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.PciStatus;

/** The capabilities of a function in the order of its list, found by following it once. Immutable. */
final class PciCapabilityList {

    /** A list that names more capabilities than there is room for is a circle. */
    private static final int MOST = (int) ((PciHeader.SPACE_SIZE - PciHeader.SIZE) / Integer.BYTES);

    /** In a link: bits that are reserved, and no part of an offset. */
    private static final int RESERVED_LINK_BITS = 3;

    private record Entry(int id, long place) {
    }

    private final List<Entry> entries;

    private PciCapabilityList(List<Entry> entries) {
        this.entries = entries;
    }

    /** Follows the list to its end: a link to 0 or into the header, or a circle. */
    static PciCapabilityList of(PciFunctionConfig config) {
        List<Entry> entries = new ArrayList<>();
        if ((config.u16(PciHeader.STATUS) & PciStatus.CAPABILITY_LIST) != 0) {
            long place = link(config, PciHeader.CAPABILITIES);
            while (place >= PciHeader.SIZE && entries.size() < MOST) {
                entries.add(new Entry(config.u8(place + PciCapability.ID), place));
                place = link(config, place + PciCapability.NEXT);
            }
        }
        return new PciCapabilityList(entries);
    }

    /**
     * Where the capabilities of one kind begin.
     *
     * @param id   which kind
     * @param size bytes that must be there, so that those with less before the end of configuration space do not count
     * @return offsets in configuration space, in the order of the list
     */
    List<Long> places(int id, long size) {
        return entries.stream()
                .filter(entry -> entry.id == id && entry.place + size <= PciHeader.SPACE_SIZE)
                .map(Entry::place)
                .toList();
    }

    /** The first one of {@link #places}. */
    OptionalLong first(int id, long size) {
        return places(id, size).stream().mapToLong(Long::longValue).findFirst();
    }

    private static long link(PciFunctionConfig config, long place) {
        return config.u8(place) & ~RESERVED_LINK_BITS;
    }
}
