// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.GuestMemory;

/** The reserved regions of an endpoint: immutable, disjoint, with at most one MSI doorbell among them. */
public final class ReservedRegions {

    /**
     * Nothing is reserved. Linux then makes up a window for messages of its own, and on arm64 maps the doorbell there.
     * That works where a device's messages are translated as its data are: where the function keeps the MSI-X table,
     * and the doorbell is a region of its memory. It is wrong on x86, and behind QEMU on arm64, too: QEMU delivers
     * messages itself, untranslated, so that none arrives, and the guest hangs without a word.
     */
    public static final ReservedRegions NONE = of();

    /** The doorbells of the local APICs, 0xfee00000 to 0xfeefffff, which Linux on x86 needs to be told of. */
    public static final ReservedRegions X86_MSI =
            of(new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, ReservedRegion.Kind.MSI));

    /**
     * The doorbell of the GICv2m of QEMU's board {@code virt} with {@code gic-version=2}, 0x8020000 to 0x8020fff. Other
     * boards have theirs elsewhere.
     */
    public static final ReservedRegions QEMU_VIRT_GICV2M =
            of(new ReservedRegion(0x802_0000L, 0x802_0fffL, ReservedRegion.Kind.MSI));

    /**
     * The doorbell of the ITS of QEMU's board {@code virt} with {@code gic-version=3}, 0x8090000 to 0x8090fff. Other
     * boards have theirs elsewhere.
     */
    public static final ReservedRegions QEMU_VIRT_ITS =
            of(new ReservedRegion(0x809_0000L, 0x809_0fffL, ReservedRegion.Kind.MSI));

    private static final long LAST = -1;

    private final ReservedRegion[] regions;

    /** The same in ascending order, for readers. */
    private final ReservedRegion[] sorted;

    private ReservedRegions(ReservedRegion[] regions) {
        this.regions = regions;
        this.sorted = regions.clone();
        Arrays.sort(sorted, Comparator.comparing(ReservedRegion::start, Long::compareUnsigned));
    }

    /**
     * A set of regions.
     *
     * @param regions in the order a driver shall see them
     * @return the set
     * @throws IllegalArgumentException if two of them overlap or more than one is a doorbell (section 5.13.6.8.1)
     */
    public static ReservedRegions of(ReservedRegion... regions) {
        for (int i = 0; i < regions.length; i++) {
            for (int j = 0; j < i; j++) {
                check(regions[j], regions[i]);
            }
        }
        return new ReservedRegions(regions.clone());
    }

    /**
     * The regions.
     *
     * @return an immutable list
     */
    public List<ReservedRegion> list() {
        return List.of(regions);
    }

    int count() {
        return regions.length;
    }

    ReservedRegion region(int index) {
        return regions[index];
    }

    boolean overlaps(long first, long last) {
        for (int i = 0; i < regions.length; i++) {
            if (regions[i].overlaps(first, last)) {
                return true;
            }
        }
        return false;
    }

    // What readers ask: in whole pages, since that is what translations are made of. Mappings are made of whole pages,
    // too, so that a page that is reserved in part cannot be mapped either.

    /** The region that has an address in its pages, if one does; any of those that share a page. */
    @Nullable ReservedRegion holding(long address) {
        int index = lastUpTo(address | GuestMemory.PAGE_SIZE - 1);
        return index >= 0 && Long.compareUnsigned(address, sorted[index].lastPage()) <= 0 ? sorted[index] : null;
    }

    /** Where the stretch begins that no region has pages in, and that holds an address for which there is none. */
    long freeFrom(long address) {
        int index = lastUpTo(address);
        return index < 0 ? 0 : sorted[index].lastPage() + 1;
    }

    /** Where that stretch ends, inclusive. */
    long freeTo(long address) {
        int next = lastUpTo(address) + 1;
        return next == sorted.length ? LAST : sorted[next].firstPage() - 1;
    }

    /** The last region in ascending order that begins at an address or below; -1 for none. */
    private int lastUpTo(long address) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(sorted[middle].start(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ReservedRegions that && Arrays.equals(regions, that.regions);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(regions);
    }

    @Override
    public String toString() {
        return Arrays.toString(regions);
    }

    private static void check(ReservedRegion one, ReservedRegion other) {
        if (one.overlaps(other.start(), other.end())) {
            throw new IllegalArgumentException("region=" + other + " overlaps " + one + "; make them disjoint");
        }
        if (one.kind() == ReservedRegion.Kind.MSI && other.kind() == ReservedRegion.Kind.MSI) {
            throw new IllegalArgumentException("region=" + other + " is a second MSI region; an endpoint has one");
        }
    }
}
