// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.iommu.embedder.IommuCapabilities;
import org.virtio4j.iommu.embedder.IommuCapabilities.Bypass;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** What a layer above is told that an IOMMU can do; the naive model of usable ranges looks at each page. */
class CapabilitiesTest extends IommuTests {

    private static final int PAGES = 48;

    @Test
    @DisplayName("5.13.4, 5.13.6.8.1: usable is the input range less reserved regions")
    void shouldLeaveReservedRegionsOut() {
        VirtioIommu x86 = iommu().reserved(ReservedRegions.X86_MSI).build();
        assertEquals(List.of(new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, -1)),
                x86.usableRanges(DISK));
        assertEquals(List.of(new IovaRange(0x1000, 0xffff_ffff_ffffL)),
                iommu().inputRange(1, 0x1_0000_0000_0ffeL).build().usableRanges(NIC));
        assertThrows(IllegalArgumentException.class, () -> x86.usableRanges(NOBODY));
    }

    @Test
    @DisplayName("5.13.4: capabilities are those of the builder")
    void shouldSayWhatWasBuilt() {
        IommuCapabilities all = iommu().reserved(ReservedRegions.QEMU_VIRT_ITS).pageSizeMask(0x20_4000)
                .inputRange(0x10_0000, 0x7f_ffff_ffffL).domainRange(3, -1).bootBypass(true).build().capabilities(DISK);
        assertEquals(new IommuCapabilities(0x20_4000, List.of(new IovaRange(0x10_0000, 0x808_ffff),
                new IovaRange(0x809_4000, 0x7f_ffff_ffffL)), 3, -1, true, true, true, Bypass.BY_DRIVER, true), all);
        assertEquals(0x4000, all.granule());
        assertEquals(new IovaRange(0x10_0000, 0x7f_ffff_ffffL), all.aperture());
        IommuCapabilities few = iommu().bootBypass(true).without(Spec.F_MMIO).without(Spec.F_PROBE)
                .without(Spec.F_MAP_UNMAP).without(Spec.F_BYPASS_CONFIG).build().capabilities(DISK);
        assertEquals(new IommuCapabilities(0x1000, List.of(), 0, -1, true, false, false, Bypass.NONE, false), few);
        assertThrows(NoSuchElementException.class, few::aperture);
        assertEquals(Bypass.ALWAYS,
                iommu().bootBypass(true).topology(16, new byte[16]).build().capabilities(DISK).bypass());
        assertEquals(Bypass.NONE,
                iommu().bootBypass(false).topology(16, new byte[16]).build().capabilities(DISK).bypass());
        assertThrows(IllegalArgumentException.class, () -> iommu().build().capabilities(NOBODY));
    }

    @Test
    @DisplayName("5.13.6.5: random regions, ranges and granules leave what a look at each page finds")
    void shouldAgreeWithALookAtEachPage() {
        Random random = new Random(Seeds.next());
        int several = 0;
        for (int round = 0; round < 20_000; round++) {
            long granule = 0x1000L << random.nextInt(5);
            // Somewhere, at the start, and at the end of 64 bits, where sums wrap.
            long base = new long[] {0, 0x7fff_ffff_fff0_0000L & -(granule * PAGES), -(granule * PAGES)}[round % 3];
            long start = base + random.nextInt((int) granule * PAGES / 2);
            long end = base + granule * PAGES - 1 - random.nextInt((int) granule * PAGES / 2);
            ReservedRegions regions = regions(random, base, granule);
            List<IovaRange> expected = look(base, granule, start, end, regions);
            assertEquals(expected, UsableRanges.of(start, end, granule, regions));
            several += expected.size() > 2 ? 1 : 0;
        }
        assertTrue(several > 1_000, "with holes: " + several);
    }

    @Test
    @DisplayName("5.13.6.5 rules 26, 48: the device takes a mapping of one page where, and only where, it is usable")
    void shouldMapWhatIsUsable() {
        Random random = new Random(Seeds.next());
        for (int round = 0; round < 20; round++) {
            long granule = 0x1000L << random.nextInt(3);
            long base = round % 2 == 0 ? 0 : -(granule * PAGES);
            ReservedRegions regions = regions(random, base, granule);
            if (look(base, granule, base, base + granule * PAGES - 1, regions).isEmpty()) {
                continue;
            }
            IommuMachine machine = start(iommu().pageSizeMask(granule).probeSize(4096)
                    .inputRange(base, base + granule * PAGES - 1).reserved(regions));
            machine.ok(Requests.attach(ONE, DISK));
            List<IovaRange> usable = machine.iommu().usableRanges(DISK);
            for (int page = 0; page < PAGES; page++) {
                long first = base + page * granule;
                long last = first + granule - 1;
                boolean within = usable.stream().anyMatch(range -> range.holds(first, last));
                assertEquals(within ? Spec.OK : Spec.INVAL, machine.status(Requests.map(ONE, first, last, 0)));
            }
        }
    }

    /** Up to six regions of bytes or of pages, disjoint, with one MSI region at most, in any order. */
    private static ReservedRegions regions(Random random, long base, long granule) {
        List<ReservedRegion> made = new ArrayList<>();
        int size = (int) granule * PAGES;
        for (int i = random.nextInt(7); i > 0; i--) {
            boolean msi = i == 1 && random.nextBoolean();
            long first = base + (msi ? random.nextInt(size) & -0x1000 : random.nextInt(size));
            long length = random.nextInt(4) == 0 ? 1 : 1 + random.nextInt((int) granule * 4);
            long last = Long.compareUnsigned(first + length - 1, base + size - 1) > 0
                    || Long.compareUnsigned(first + length - 1, first) < 0 ? base + size - 1 : first + length - 1;
            long end = msi ? last | 0xfff : last;
            if (made.stream().noneMatch(other -> other.overlaps(first, end))) {
                made.add(new ReservedRegion(first, end,
                        msi ? ReservedRegion.Kind.MSI : ReservedRegion.Kind.RESERVED));
            }
        }
        return ReservedRegions.of(made.toArray(ReservedRegion[]::new));
    }

    /** The model: a page is usable if it lies in the range and no region touches it. */
    private static List<IovaRange> look(long base, long granule, long start, long end, ReservedRegions regions) {
        List<IovaRange> found = new ArrayList<>();
        for (int page = 0; page < PAGES; page++) {
            long first = base + page * granule;
            long last = first + granule - 1;
            boolean usable = Long.compareUnsigned(start, first) <= 0 && Long.compareUnsigned(last, end) <= 0
                    && regions.list().stream().noneMatch(region -> region.overlaps(first, last));
            if (usable && !found.isEmpty() && found.getLast().end() + 1 == first) {
                found.set(found.size() - 1, new IovaRange(found.getLast().start(), last));
            } else if (usable) {
                found.add(new IovaRange(first, last));
            }
        }
        return found;
    }
}
