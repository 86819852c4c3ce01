// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The reserved regions of an endpoint: immutable, disjoint, with at most one MSI doorbell among them.
 *
 * <p>What happens at a doorbell's address, for example at 0xfee00000, depends on the region there and on what the
 * endpoint is attached to. A message is what a device sends with {@link org.virtio4j.dma.DmaHandle#send} or
 * {@link org.virtio4j.dma.MessageSender}, as functions do for their MSI-X vectors. A data write is none, wherever it
 * goes.
 *
 * <table>
 * <caption>Accesses to a doorbell's address</caption>
 * <tr><th>region, attachment</th><th>message</th><th>data write</th><th>read</th></tr>
 * <tr><td>MSI; attached to a domain of either kind, or to nothing in bypass</td>
 *     <td>passes untranslated: arrives if a doorbell region of the guest's memory is there, else is dropped,
 *     BUS_ERROR</td>
 *     <td>BUS_ERROR; changes no memory</td><td>FAULT</td></tr>
 * <tr><td>MSI; attached to nothing without bypass, or blocked</td><td>FAULT</td><td>FAULT</td><td>FAULT</td></tr>
 * <tr><td>RESERVED</td><td>FAULT</td><td>FAULT</td><td>FAULT</td></tr>
 * <tr><td>none; in a domain that maps the address</td>
 *     <td>arrives if the mapping leads to a doorbell region, else is dropped, BUS_ERROR</td>
 *     <td>as with any mapping; BUS_ERROR in a doorbell region</td><td>as with any mapping; BUS_ERROR in a doorbell
 *     region</td></tr>
 * <tr><td>none; in a domain that does not map it</td><td>FAULT</td><td>FAULT</td><td>FAULT</td></tr>
 * <tr><td>none; in bypass, or no IOMMU before the device</td>
 *     <td>arrives if a doorbell region is at that guest-physical address, else is dropped, BUS_ERROR</td>
 *     <td>as in any memory; BUS_ERROR in a doorbell region</td><td>as in any memory; BUS_ERROR in a doorbell
 *     region</td></tr>
 * </table>
 *
 * <p>A message arrives with the requester id of the {@link org.virtio4j.dma.DmaSpace}. {@code
 * VirtioPciFunction.lostMessages} counts those of a function that were dropped or faulted. Faults are also reported to
 * the driver, and counted in {@link IommuCounters}. A data write or a read that fails is the device's own error, as
 * anywhere else, and counted by nobody else.
 */
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

    /**
     * The doorbells that a supervisor's IMSICs have on QEMU's board {@code virt} of riscv64 with {@code
     * aia=aplic-imsic}: 0x28000000 to 0x2bffffff, room for all sockets, processors and guests.
     */
    public static final ReservedRegions QEMU_VIRT_IMSIC =
            of(new ReservedRegion(0x2800_0000L, 0x2bff_ffffL, ReservedRegion.Kind.MSI));

    private final List<ReservedRegion> regions;

    private ReservedRegions(List<ReservedRegion> regions) {
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
        return new ReservedRegions(List.of(regions));
    }

    /**
     * The regions, in the order of {@link #of}.
     *
     * @return an immutable list, the same each time
     */
    public List<ReservedRegion> list() {
        return regions;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ReservedRegions that && regions.equals(that.regions);
    }

    @Override
    public int hashCode() {
        return regions.hashCode();
    }

    @Override
    public String toString() {
        return regions.toString();
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
