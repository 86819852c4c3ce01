// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The reserved regions of an endpoint: immutable, disjoint, with at most one MSI doorbell among them. */
public final class ReservedRegions {

    /** Nothing is reserved. Linux then makes up an MSI window of its own, which is wrong on x86. */
    public static final ReservedRegions NONE = of();

    /** The doorbells of the local APICs, 0xfee00000 to 0xfeefffff, which Linux on x86 needs to be told of. */
    public static final ReservedRegions X86_MSI =
            of(new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, ReservedRegion.Kind.MSI));

    private final ReservedRegion[] regions;

    private ReservedRegions(ReservedRegion[] regions) {
        this.regions = regions;
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

    /** The doorbell that holds an address, if one does. */
    @Nullable ReservedRegion doorbell(long address) {
        for (int i = 0; i < regions.length; i++) {
            if (regions[i].kind() == ReservedRegion.Kind.MSI && regions[i].holds(address)) {
                return regions[i];
            }
        }
        return null;
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
