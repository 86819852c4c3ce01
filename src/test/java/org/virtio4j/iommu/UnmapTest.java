// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.WhenServed;

/** Section 5.13.6.6, UNMAP request. */
class UnmapTest extends IommuTests {

    /** A page stands for each address of the examples in the text. */
    private static final long PAGE = 0x1000;

    private long removed;

    @ParameterizedTest
    @ValueSource(ints = {1, 0x100, 0x1_0000, 0x8000_0000, -1})
    @DisplayName("5.13.6.6 rule 33, choice: reserved bytes that are not 0 make UNMAP invalid, and nothing is removed")
    void shouldRejectWhenReservedIsSet(int reserved) {
        IommuMachine machine = attached();
        map(machine, 0, 4);
        assertEquals(Spec.INVAL, machine.status(Requests.unmap(ONE, 0, 5 * PAGE - 1, reserved)));
        assertEquals(Spec.INVAL, machine.status(Requests.unmap(TWO, 0, 5 * PAGE - 1, reserved)));
        assertEquals(0, removed);
        assertMapped(machine, DISK, 0, 0);
    }

    @Test
    @DisplayName("5.13.6.6 rule 34: a domain that does not exist is not found, before the range is looked at")
    void shouldRejectWhenDomainDoesNotExist() {
        IommuMachine machine = attached();
        assertEquals(Spec.NOENT, machine.status(Requests.unmap(TWO, 0, PAGE - 1)));
        assertEquals(Spec.NOENT, machine.status(Requests.unmap(TWO, PAGE, 0)));
    }

    @Test
    @DisplayName("5.13.6.6 rule 35: UNMAP of a bypass domain is invalid, before the range is looked at")
    void shouldRejectWhenDomainIsBypass() {
        IommuMachine machine = start();
        machine.ok(Requests.attachBypass(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.unmap(ONE, 0, PAGE - 1)));
        assertEquals(Spec.INVAL, machine.status(Requests.unmap(ONE, PAGE, 0)));
    }

    @ParameterizedTest
    @CsvSource({"0, 9, 0, 4", "0, 9, 5, 9", "0, 9, 3, 5", "0, 9, 0, 8", "0, 9, 1, 9", "5, 9, 0, 7", "5, 9, 7, 20"})
    @DisplayName("5.13.6.6 rule 36: UNMAP that would split a mapping is out of range and removes nothing")
    void shouldRemoveNothingWhenMappingWouldBeSplit(long first, long last, long from, long to) {
        IommuMachine machine = attached();
        map(machine, first, last);
        assertUnmap(machine, from, to, Spec.RANGE, 0);
        assertMapped(machine, DISK, first * PAGE, first * PAGE);
        assertMapped(machine, DISK, last * PAGE, last * PAGE);
    }

    @ParameterizedTest
    @CsvSource({"0, 21", "3, 30", "0, 25", "5, 21"})
    @DisplayName("5.13.6.6 rule 36: whole mappings inside the range stay too when one would be split")
    void shouldKeepWholeMappingsWhenAnotherWouldBeSplit(long from, long to) {
        IommuMachine machine = attached();
        map(machine, 2, 4);
        map(machine, 10, 14);
        map(machine, 20, 29);
        assertUnmap(machine, from, to, Spec.RANGE, 0);
        assertEquals(3, machine.iommu().liveMappings());
        assertMapped(machine, DISK, 2 * PAGE, 2 * PAGE);
        assertMapped(machine, DISK, 10 * PAGE, 10 * PAGE);
        assertMapped(machine, DISK, 20 * PAGE, 20 * PAGE);
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, example 1: an empty space")
    void shouldSucceedWhenNothingIsMapped() {
        assertUnmap(attached(), 0, 4, Spec.OK, 0);
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, example 2: exactly the mapping")
    void shouldRemoveMappingWhenRangeIsTheMapping() {
        IommuMachine machine = attached();
        map(machine, 0, 9);
        assertUnmap(machine, 0, 9, Spec.OK, 1);
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, example 3: two neighbours")
    void shouldRemoveBothWhenRangeCoversTwoNeighbours() {
        IommuMachine machine = attached();
        map(machine, 0, 4);
        map(machine, 5, 9);
        assertUnmap(machine, 0, 9, Spec.OK, 2);
    }

    @Test
    @DisplayName("5.13.6.6 rule 36, example 4: half of a mapping")
    void shouldFailWhenRangeIsHalfOfMapping() {
        IommuMachine machine = attached();
        map(machine, 0, 9);
        assertUnmap(machine, 0, 4, Spec.RANGE, 0);
        assertMapped(machine, DISK, 0, 0);
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, example 5: one of two neighbours")
    void shouldRemoveOneWhenRangeIsOneOfTwoNeighbours() {
        IommuMachine machine = attached();
        map(machine, 0, 4);
        map(machine, 5, 9);
        assertUnmap(machine, 0, 4, Spec.OK, 1);
        assertUnmapped(machine, DISK, 5 * PAGE - 1);
        assertMapped(machine, DISK, 5 * PAGE, 5 * PAGE);
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, example 6: a mapping and a gap behind it")
    void shouldRemoveMappingWhenRangeIsLonger() {
        IommuMachine machine = attached();
        map(machine, 0, 4);
        assertUnmap(machine, 0, 9, Spec.OK, 1);
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, example 7: two mappings and a gap between them")
    void shouldRemoveBothWhenThereIsGapBetween() {
        IommuMachine machine = attached();
        map(machine, 0, 4);
        map(machine, 10, 14);
        assertUnmap(machine, 0, 14, Spec.OK, 2);
    }

    @ParameterizedTest
    @CsvSource({"1, 4ffe, 0", "1, 6001, 1", "4fff, 6000, 1", "5001, 5001, -1", "4000, 5ffe, -1",
        "0, ffffffffffffffff, 1", "6000, 6000, 0", "8000000000000000, ffffffffffffffff, 0"})
    @DisplayName("5.13.6.6 rule 37: UNMAP needs no alignment; what counts is whether a mapping is covered")
    void shouldNotAskForAlignment(String virtStart, String virtEnd, long expected) {
        IommuMachine machine = attached();
        map(machine, 5, 5);
        int status = machine.status(Requests.unmap(ONE, Long.parseUnsignedLong(virtStart, 16),
                Long.parseUnsignedLong(virtEnd, 16)));
        assertEquals(expected < 0 ? Spec.RANGE : Spec.OK, status);
        assertEquals(Math.max(0, expected), removed);
        assertEquals(expected == 1 ? 0 : 1, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("5.13.6.6 rule 37, choice: UNMAP outside of input_range is OK, and spills over it")
    void shouldSucceedWhenOutsideOfInputRange() {
        IommuMachine machine = start(counted(iommu().inputRange(0x1_0000, 0x1_ffff)));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1_0000, 0x1_ffff, 0));
        machine.ok(Requests.unmap(ONE, 0, 0xffff));
        machine.ok(Requests.unmap(ONE, 0x2_0000, -1));
        assertEquals(0, removed);
        machine.ok(Requests.unmap(ONE, 0, -1));
        assertEquals(1, removed);
    }

    @Test
    @DisplayName("5.13.6.6, choice: an inverted range is out of range and removes nothing")
    void shouldRejectWhenInverted() {
        IommuMachine machine = attached();
        map(machine, 0, 0);
        map(machine, 5, 9);
        assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, 10 * PAGE - 1, 5 * PAGE)));
        assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, 1, 0)));
        assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, -1, 0)));
        assertEquals(2, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("5.13.6.6 rule 37: the last page of the space can be removed")
    void shouldRemoveAtTheEndOfTheSpace() {
        IommuMachine machine = attached();
        machine.ok(Requests.map(ONE, -PAGE, -1, 0));
        machine.ok(Requests.unmap(ONE, -PAGE, -1));
        assertEquals(1, removed);
        assertUnmapped(machine, DISK, -1);
    }

    @Test
    @DisplayName("5.13.6.6: MAP and UNMAP of one batch take effect in the order of the ring")
    void shouldServeInOrderWhenSentInOneBatch() {
        IommuMachine machine = attached();
        List<Reply> replies = machine.sendAll(List.of(
                Requests.map(ONE, 0, PAGE - 1, 0x1_0000),
                Requests.map(ONE, 0, PAGE - 1, 0x2_0000),
                Requests.unmap(ONE, 0, PAGE - 1),
                Requests.map(ONE, 0, PAGE - 1, 0x3_0000),
                Requests.unmap(ONE, PAGE, 0)));
        int[] expected = {Spec.OK, Spec.INVAL, Spec.OK, Spec.OK, Spec.RANGE};
        for (int i = 0; i < expected.length; i++) {
            Reply.assertStatus(expected[i], replies.get(i));
        }
        assertMapped(machine, DISK, 0, 0x3_0000);
        assertEquals(1, machine.iommu().liveMappings());
    }

    private IommuMachine attached() {
        IommuMachine machine = start(counted(iommu()));
        machine.ok(Requests.attach(ONE, DISK));
        return machine;
    }

    private VirtioIommuBuilder counted(VirtioIommuBuilder builder) {
        return builder.listener(WhenServed.does((type, status, count) -> removed += type == Spec.UNMAP ? count : 0));
    }

    /** Maps pages to themselves. */
    private static void map(IommuMachine machine, long first, long last) {
        machine.ok(Requests.map(ONE, first * PAGE, (last + 1) * PAGE - 1, first * PAGE));
    }

    private void assertUnmap(IommuMachine machine, long first, long last, int status, long expected) {
        long before = machine.iommu().liveMappings();
        assertEquals(status, machine.status(Requests.unmap(ONE, first * PAGE, (last + 1) * PAGE - 1)));
        assertEquals(expected, removed);
        assertEquals(before - expected, machine.iommu().liveMappings());
        if (status == Spec.OK) {
            assertUnmapped(machine, DISK, first * PAGE);
            assertUnmapped(machine, DISK, (last + 1) * PAGE - 1);
        }
    }
}
