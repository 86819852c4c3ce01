// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** What no driver could work with is refused when it is said, and the smallest that one can work with is not. */
class SetUpTest extends IommuTests {

    private static final String ALL =
            "reserved 0x2000 to 0xffffffffffffffff, reserved 0x0 to 0xfff, reserved 0x1000 to 0x1fff";

    @Test
    @DisplayName("2.7.5, 5.13.6: a request has two descriptors, so a request queue has two entries at least")
    void shouldRefuseRequestQueueThatHoldsNoRequest() {
        assertRefused("requests=1, but a power of two from 2 to 32768 is needed: a request takes two descriptors",
                () -> iommu().queueSizes(1, 8));
        assertRefused("requests=0, but", () -> iommu().queueSizes(0, 8));
        assertRefused("requests=48, but", () -> iommu().queueSizes(48, 8));
        assertRefused("requests=65536, but", () -> iommu().queueSizes(65536, 8));
        assertRefused("events=0, but a power of two from 1 to 32768 is needed", () -> iommu().queueSizes(8, 0));
        assertRefused("events=3, but", () -> iommu().queueSizes(8, 3));
    }

    @Test
    @DisplayName("2.7.5, 5.13.6: a request queue of two entries and an event queue of one work")
    void shouldServeSmallestQueues() {
        IommuMachine machine = start(iommu().queueSizes(2, 1));
        machine.ok(Requests.attach(ONE, DISK));
        for (long page = 0x1000; page < 0x9000; page += 0x1000) {
            machine.ok(Requests.map(ONE, page, page + 0xfff, page));
        }
        assertMapped(machine, DISK, 0x8000, 0x8000);
        assertUnmapped(machine, DISK, 0x9000);
    }

    @Test
    @DisplayName("5.13.4: the granule is no larger than the largest page of a guest")
    void shouldRefuseGranuleThatNoGuestHas() {
        assertRefused("mask=0x20000, but its lowest bit is the granule, and no guest has pages larger than 65536 bytes;"
                + " add its page size", () -> iommu().pageSizeMask(0x2_0000));
        assertRefused("mask=0x8000000000000000, but", () -> iommu().pageSizeMask(Long.MIN_VALUE));
        assertDoesNotThrow(() -> iommu().pageSizeMask(0x2_0000 | 0x1_0000).build());
    }

    @Test
    @DisplayName("5.13.6.6: the input range has a page of the granule, aligned to it")
    void shouldRefuseInputRangeWithoutPage() {
        assertRefused("start=0x0, end=0x0 have no page of 4096 bytes between them, and smaller ones cannot be mapped;"
                + " widen the range", () -> iommu().inputRange(0, 0));
        assertRefused("start=0x0, end=0xffe have", () -> iommu().inputRange(0, 0xffe));
        assertRefused("start=0x1, end=0x1ffe have", () -> iommu().inputRange(1, 0x1ffe));
        assertRefused("start=0xfffffffffffff001, end=0xffffffffffffffff have", () -> iommu().inputRange(-0xfff, -1));
        assertDoesNotThrow(() -> iommu().inputRange(0, 0xfff).build());
        assertDoesNotThrow(() -> iommu().inputRange(1, 0x1fff).build());
        assertDoesNotThrow(() -> iommu().inputRange(-0x1000, -1).build());
    }

    @Test
    @DisplayName("5.13.6.6: granule and input range fit in whatever order they are said")
    void shouldRefuseGranuleLargerThanInputRange() {
        assertRefused("mask=0x10000, but the input range 0x1000 to 0x1fffe has no page of 65536 bytes; widen the range,"
                + " or add a smaller page size", () -> iommu().inputRange(0x1000, 0x1_fffe).pageSizeMask(0x1_0000));
        assertRefused("start=0x1000, end=0xffff have no page of 65536 bytes between them",
                () -> iommu().pageSizeMask(0x1_0000).inputRange(0x1000, 0xffff));
        assertDoesNotThrow(() -> iommu().pageSizeMask(0x1_0000).inputRange(0x1000, 0x1_ffff).build());
    }

    @Test
    @DisplayName("5.13.6.8.1: the reserved regions of an endpoint leave a page that can be mapped")
    void shouldRefuseRegionsThatCoverInputRange() {
        ReservedRegions halves = ReservedRegions.of(reserved(0x2000, -1), reserved(0, 0xfff));
        assertDoesNotThrow(() -> iommu().reserved(halves).build());
        ReservedRegions all = ReservedRegions.of(reserved(0x2000, -1), reserved(0, 0xfff), reserved(0x1000, 0x1fff));
        assertRefused("endpoint=0x8: regions=" + ALL + " leave no page of 4096 bytes in the input range 0x0 to"
                + " 0xffffffffffffffff; widen the range, or reserve less", () -> iommu().reserved(all).build());
        assertRefused("regions=" + ALL, () -> iommu().check(all));
        assertRefused("endpoint=0x9: regions=" + ALL,
                () -> VirtioIommu.builder().endpoint(DISK).endpoint(NIC, all).build());
    }

    @Test
    @DisplayName("5.13.6.8.1: a region that ends within a page reserves all of it, for a driver maps whole pages")
    void shouldCountPagesThatAreReservedInPart() {
        ReservedRegions bytes = ReservedRegions.of(reserved(0x1fff, 0x1fff), reserved(0x2000, 0x2000));
        assertRefused("endpoint=0x8: regions=", () -> iommu().inputRange(0x1000, 0x2fff).reserved(bytes).build());
        assertDoesNotThrow(() -> iommu().inputRange(0x1000, 0x3fff).reserved(bytes).build());
        assertRefused("endpoint=0x8: regions=",
                () -> iommu().inputRange(0, 0x1_ffff).pageSizeMask(0x1_0000).reserved(
                        ReservedRegions.of(reserved(0xffff, 0x1_0000))).build());
    }

    @Test
    @DisplayName("5.13.4: where INPUT_RANGE is not offered there is all of 64 bits beside the regions")
    void shouldLookBeyondRangeThatIsNotOffered() {
        ReservedRegions within = ReservedRegions.of(reserved(0x1000, 0x1fff));
        assertDoesNotThrow(
                () -> iommu().inputRange(0x1000, 0x1fff).without(Spec.F_INPUT_RANGE).reserved(within).build());
        assertRefused("endpoint=0x8: regions=",
                () -> iommu().inputRange(0x1000, 0x1fff).reserved(within).build());
    }

    @Test
    @DisplayName("5.13.6.7: the properties of an endpoint fit into the probe size, where there are probes")
    void shouldRefuseProbeSizeBelowProperties() {
        assertRefused("endpoint=0x8: probeSize=23, but the properties of an endpoint need 24 bytes",
                () -> iommu().probeSize(23).reserved(ReservedRegions.X86_MSI).build());
        assertDoesNotThrow(() -> iommu().probeSize(23).reserved(ReservedRegions.X86_MSI).without(Spec.F_PROBE).build());
    }

    private static ReservedRegion reserved(long start, long end) {
        return new ReservedRegion(start, end, ReservedRegion.Kind.RESERVED);
    }

    private static void assertRefused(String message, Executable setUp) {
        String said = String.valueOf(assertThrows(IllegalArgumentException.class, setUp).getMessage());
        assertEquals(message, said.substring(0, Math.min(said.length(), message.length())));
    }
}
