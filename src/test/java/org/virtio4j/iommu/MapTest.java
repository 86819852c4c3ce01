// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;

/** Section 5.13.6.5, MAP request. */
class MapTest extends IommuTests {

    @ParameterizedTest
    @CsvSource({"1000, 2001, 8000", "1001, 1fff, 8000", "1800, 1fff, 8000", "1000, 1ffe, 8000", "1000, 1fff, 8001",
        "1000, 1fff, 8800", "1000, 17ff, 8000", "1000, 1000, 8000", "1fff, 1fff, 8000"})
    @DisplayName("5.13.6.5 rule 26: start, physical start and end + 1 must be multiples of the granule")
    void shouldRejectWhenMisaligned(String virtStart, String virtEnd, String physStart) {
        IommuMachine machine = attached(iommu());
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, hex(virtStart), hex(virtEnd), hex(physStart))));
        assertNothingMapped(machine);
    }

    @Test
    @DisplayName("5.13.6.5 rule 26: the granule is what page_size_mask says, not the smallest one there can be")
    void shouldRejectWhenAlignedToLessThanTheGranule() {
        IommuMachine machine = attached(iommu().pageSizeMask(0x1_0000));
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, 0x1000, 0x1_ffff, 0)));
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, 0x1_0000, 0x1_0fff, 0)));
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, 0x1_0000, 0x1_ffff, 0x8000)));
        assertNothingMapped(machine);
        machine.ok(Requests.map(ONE, 0x1_0000, 0x1_ffff, 0x2_0000));
        assertMapped(machine, DISK, 0x1_ffff, 0x2_ffff);
    }

    @ParameterizedTest
    @CsvSource({"4000, 5fff", "4000, 4fff", "5000, 5fff", "3000, 4fff", "5000, 6fff", "3000, 6fff",
        "0, ffffffffffffffff"})
    @DisplayName("5.13.6.5 rule 27: a range with an address that is mapped already is invalid and changes nothing")
    void shouldRejectWhenSomethingIsMappedThere(String virtStart, String virtEnd) {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, 0x4000, 0x5fff, 0x1_0000));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, hex(virtStart), hex(virtEnd), 0)));
        assertEquals(1, machine.iommu().liveMappings());
        assertUnmapped(machine, DISK, 0x3fff);
        assertMapped(machine, DISK, 0x4000, 0x1_0000);
        assertMapped(machine, DISK, 0x5fff, 0x1_1fff);
        assertUnmapped(machine, DISK, 0x6000);
    }

    @Test
    @DisplayName("5.13.6.5 rule 27: neighbours do not overlap")
    void shouldMapWhenNeighboursAreMapped() {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, 0x3000, 0x3fff, 0x1_0000));
        machine.ok(Requests.map(ONE, 0x5000, 0x5fff, 0x3_0000));
        machine.ok(Requests.map(ONE, 0x4000, 0x4fff, 0x2_0000));
        assertMapped(machine, DISK, 0x3fff, 0x1_0fff);
        assertMapped(machine, DISK, 0x4000, 0x2_0000);
        assertMapped(machine, DISK, 0x4fff, 0x2_0fff);
        assertMapped(machine, DISK, 0x5000, 0x3_0000);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 0x10, 0x1b, 0x8000_0000, 0xffff_fff8})
    @DisplayName("5.13.6.5 rule 28: an unknown flag makes MAP invalid, before anything else is looked at")
    void shouldRejectWhenFlagIsUnknown(int flags) {
        IommuMachine machine = attached(iommu());
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000, flags)));
        assertEquals(Spec.INVAL, machine.status(Requests.map(TWO, 0x1000, 0x1fff, 0x8000, flags)));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1001, 0x1fff, 0x8000, flags)));
        assertNothingMapped(machine);
    }

    @Test
    @DisplayName("5.13.6.5 rule 28, choice: MMIO is an unknown flag unless the feature was negotiated")
    void shouldRejectWhenMmioWasNotNegotiated() {
        IommuMachine machine = powerOn(iommu());
        machine.start(machine.offered().without(Spec.F_MMIO));
        machine.ok(Requests.attach(ONE, DISK));
        int flags = Spec.READ_WRITE | Spec.MAP_F_MMIO;
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000, flags)));
        IommuMachine negotiated = attached(iommu());
        negotiated.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000, flags));
        assertMapped(negotiated, DISK, 0x1000, 0x8000);
    }

    @Test
    @DisplayName("5.13.6.5 rule 29: a domain that does not exist is not found, before the range is looked at")
    void shouldRejectWhenDomainDoesNotExist() {
        IommuMachine machine = attached(iommu());
        assertEquals(Spec.NOENT, machine.status(Requests.map(TWO, 0x1000, 0x1fff, 0x8000)));
        assertEquals(Spec.NOENT, machine.status(Requests.map(TWO, 0x1001, 0x1000, 0x8000)));
    }

    @Test
    @DisplayName("5.13.6.5 rule 30: a bypass domain cannot be mapped in, before the range is looked at")
    void shouldRejectWhenDomainIsBypass() {
        IommuMachine machine = start();
        machine.ok(Requests.attachBypass(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1001, 0x1000, 0x8000)));
        assertIdentity(machine, DISK);
    }

    @Test
    @DisplayName("5.13.6.5 rule 31: without WRITE nothing is written")
    void shouldRefuseWritesWhenMappedReadOnly() {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x100_0000, Spec.MAP_F_READ));
        assertPermitted(machine, true, false);
        machine.fill(0x100_0000, 8, 0x11);
        DmaHandle handle = machine.dma(DISK);
        handle.enter();
        Dma.assertReads(handle, 0x1000, 8, 0x11);
        assertEquals(DmaResult.FAULT, Dma.write(handle, 0x1000, 8, 0x22));
        Dma.assertReads(handle, 0x1000, 8, 0x11);
        handle.leave();
    }

    @Test
    @DisplayName("5.13.6.5 rule 31, choice: with WRITE alone nothing is read")
    void shouldRefuseReadsWhenMappedWriteOnly() {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x100_0000, Spec.MAP_F_WRITE));
        assertPermitted(machine, false, true);
    }

    @Test
    @DisplayName("5.13.6.5 rule 31, choice: a mapping without READ and WRITE allows nothing and takes its place")
    void shouldAllowNothingWhenMappedWithoutAccess() {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000, 0));
        assertPermitted(machine, false, false);
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)));
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000, Spec.MAP_F_MMIO));
        assertPermitted(machine, false, false);
    }

    @ParameterizedTest
    @CsvSource({"0, ffff", "f000, 10fff", "7ffff000, 80000fff", "80000000, 80000fff", "0, ffffffffffffffff",
        "ffffffffffff0000, ffffffffffffffff"})
    @DisplayName("5.13.6.5 rule 32, choice: a range that is not inside input_range is out of range")
    void shouldRejectWhenOutsideOfInputRange(String virtStart, String virtEnd) {
        IommuMachine machine = attached(iommu().inputRange(0x1_0000, 0x7fff_ffff));
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, hex(virtStart), hex(virtEnd), 0)));
        assertNothingMapped(machine);
    }

    @Test
    @DisplayName("5.13.6.5 rule 32: the whole of input_range can be mapped, its ends included")
    void shouldMapWhenRangeIsTheWholeInputRange() {
        IommuMachine machine = attached(iommu().inputRange(0x1_0000, 0x7fff_ffff));
        machine.ok(Requests.map(ONE, 0x1_0000, 0x7fff_ffff, 0x8000));
        assertMapped(machine, DISK, 0x1_0000, 0x8000);
        assertMapped(machine, DISK, 0x7fff_ffff, 0x7fff_7fff);
        assertUnmapped(machine, DISK, 0xffff);
        assertUnmapped(machine, DISK, 0x8000_0000L);
    }

    @ParameterizedTest
    @CsvSource({"2000, fff", "2000, 1fff", "1000, 0", "8000000000000000, fff", "fffffffffffff000, fff"})
    @DisplayName("5.13.6.5 rule 32, choice: an inverted range is out of range")
    void shouldRejectWhenInverted(String virtStart, String virtEnd) {
        IommuMachine machine = attached(iommu());
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, hex(virtStart), hex(virtEnd), 0)));
        assertNothingMapped(machine);
    }

    @ParameterizedTest
    @CsvSource({"0, 1fff, fffffffffffff000", "0, ffffffffffffffff, 1000", "1000, ffffffffffffffff, 2000"})
    @DisplayName("5.13.6.5, choice: physical addresses that run over 2^64 are out of range")
    void shouldRejectWhenPhysicalEndWraps(String virtStart, String virtEnd, String physStart) {
        IommuMachine machine = attached(iommu());
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, hex(virtStart), hex(virtEnd), hex(physStart))));
        assertNothingMapped(machine);
    }

    @ParameterizedTest
    @CsvSource({"0, ffffffffffffffff, 0", "1000, ffffffffffffffff, 1000", "fffffffffffff000, ffffffffffffffff, 0",
        "0, fff, fffffffffffff000", "fffffffffffff000, ffffffffffffffff, fffffffffffff000", "0, fff, 0"})
    @DisplayName("5.13.6.5: mappings at both ends of the 64-bit space, and of all of it")
    void shouldMapAtTheEndsOfTheSpace(String virtStart, String virtEnd, String physStart) {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, hex(virtStart), hex(virtEnd), hex(physStart)));
        assertMapped(machine, DISK, hex(virtStart), hex(physStart));
        assertMapped(machine, DISK, hex(virtEnd), hex(physStart) + (hex(virtEnd) - hex(virtStart)));
        assertEquals(Seen.at(hex(physStart), hex(virtStart), hex(virtEnd), Spec.READ_WRITE),
                machine.see(DISK, hex(virtStart), Access.READ));
        if (hex(virtStart) != 0) {
            assertUnmapped(machine, DISK, hex(virtStart) - 1);
        }
        if (hex(virtEnd) != -1) {
            assertUnmapped(machine, DISK, hex(virtEnd) + 1);
        }
    }

    @Test
    @DisplayName("5.13.6.5, choice: MAP to where no RAM is is OK; the access is an error of the bus, no fault")
    void shouldMapWhenNoRamIsThere() {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x4000_0000));
        assertMapped(machine, DISK, 0x1000, 0x4000_0000);
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        machine.dma(DISK).enter();
        assertEquals(DmaResult.BUS_ERROR, Dma.write(machine.dma(DISK), 0x1000, 8, 0x22));
        machine.dma(DISK).leave();
        assertEquals(0, machine.takeEvents().size());
    }

    @Test
    @DisplayName("5.13.6.5, choice: MAP beyond the limit of mappings is out of memory and changes nothing")
    void shouldRejectWhenLimitIsReached() {
        IommuMachine machine = attached(iommu().maxMappings(3));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0));
        machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0));
        machine.ok(Requests.map(ONE, 0x2000, 0x2fff, 0));
        assertEquals(Spec.NOMEM, machine.status(Requests.map(TWO, 0x2000, 0x2fff, 0)));
        assertUnmapped(machine, NIC, 0x2000);
        // An overlap and a bad range are told first.
        assertEquals(Spec.INVAL, machine.status(Requests.map(TWO, 0x1000, 0x1fff, 0)));
        assertEquals(Spec.RANGE, machine.status(Requests.map(TWO, 0x2001, 0x2fff, 0)));
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        machine.ok(Requests.map(TWO, 0x2000, 0x2fff, 0));
        // A domain that ends gives its share back.
        machine.ok(Requests.detach(TWO, NIC));
        machine.ok(Requests.map(ONE, 0x3000, 0x3fff, 0));
        machine.ok(Requests.map(ONE, 0x4000, 0x4fff, 0));
        assertEquals(Spec.NOMEM, machine.status(Requests.map(ONE, 0x5000, 0x5fff, 0)));
        assertEquals(3, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("5.13.6.5: the same address means something else in each domain")
    void shouldKeepDomainsApart() {
        IommuMachine machine = attached(iommu());
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x1_0000));
        machine.ok(Requests.map(TWO, 0x1000, 0x2fff, 0x2_0000));
        assertMapped(machine, DISK, 0x1000, 0x1_0000);
        assertMapped(machine, NIC, 0x1000, 0x2_0000);
        assertUnmapped(machine, DISK, 0x2000);
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        assertMapped(machine, NIC, 0x1000, 0x2_0000);
    }

    private IommuMachine attached(VirtioIommuBuilder builder) {
        IommuMachine machine = start(builder);
        machine.ok(Requests.attach(ONE, DISK));
        return machine;
    }

    private static void assertNothingMapped(IommuMachine machine) {
        assertEquals(0, machine.iommu().liveMappings());
        assertUnmapped(machine, DISK, 0);
        assertUnmapped(machine, DISK, 0x1000);
        assertUnmapped(machine, DISK, 0x1_0000);
        assertUnmapped(machine, DISK, -1);
    }

    private static void assertPermitted(IommuMachine machine, boolean read, boolean write) {
        TranslateResult refused = TranslateResult.NOT_PERMITTED;
        assertEquals(read ? TranslateResult.OK : refused, machine.see(DISK, 0x1000, Access.READ).result());
        assertEquals(write ? TranslateResult.OK : refused, machine.see(DISK, 0x1fff, Access.WRITE).result());
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, 16);
    }
}
