// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Section 5.13.6.8.1, reserved memory. */
class ReservedMemoryTest extends IommuTests {

    private static final ReservedRegion HOLE =
            new ReservedRegion(0x100_0000, 0x100_1fff, ReservedRegion.Kind.RESERVED);
    private static final int READ_WRITE = Access.READ.mask() | Access.WRITE.mask();
    private static final long DOORBELL = 0xfee0_0000L;
    private static final long DOORBELL_END = 0xfeef_ffffL;

    @Test
    @DisplayName("5.13.6.8.1 rule 45: the reserved bytes of the property are 0")
    void shouldZeroReservedBytes() {
        Reply reply = start(builder()).send(Requests.probe(DISK), 512 + Spec.TAIL);
        assertEquals(Spec.OK, reply.status());
        for (int property = 0; property < 2; property++) {
            for (int i = 5; i < 8; i++) {
                assertEquals(0, reply.writable()[24 * property + i]);
            }
        }
    }

    @Test
    @DisplayName("5.13.6.8.1 rule 46: an endpoint has one MSI region at most")
    void shouldNotTakeSecondMsiRegion() {
        ReservedRegion one = new ReservedRegion(0x1000, 0x1fff, ReservedRegion.Kind.MSI);
        ReservedRegion two = new ReservedRegion(0x3000, 0x3fff, ReservedRegion.Kind.MSI);
        assertThrows(IllegalArgumentException.class, () -> ReservedRegions.of(one, two));
        assertEquals(List.of(one, HOLE), ReservedRegions.of(one, HOLE).list());
    }

    @ParameterizedTest
    @CsvSource({"0, ffffffffffffffff", "1001fff, 1002000", "fff000, 1000000", "1000800, 10008ff", "1000000, 1001fff"})
    @DisplayName("5.13.6.8.1 rule 47: regions of an endpoint do not overlap")
    void shouldNotTakeOverlappingRegions(String start, String end) {
        ReservedRegion other = new ReservedRegion(Long.parseUnsignedLong(start, 16), Long.parseUnsignedLong(end, 16),
                ReservedRegion.Kind.RESERVED);
        assertThrows(IllegalArgumentException.class, () -> ReservedRegions.of(HOLE, other));
        assertThrows(IllegalArgumentException.class, () -> ReservedRegions.of(other, HOLE));
    }

    @ParameterizedTest
    @CsvSource({"1000000, 1001fff", "fff000, 1000fff", "1001000, 1002fff", "fff000, 1002fff", "1001000, 1001fff",
        "0, ffffffffffffffff", "fee00000, feefffff", "fee01000, fee01fff", "fedff000, fee00fff", "feeff000, fef00fff"})
    @DisplayName("5.13.6.8.1 rule 48, choice: MAP that touches a reserved region is invalid")
    void shouldRejectMapWhenItTouchesReservedRegion(String virtStart, String virtEnd) {
        IommuMachine machine = start(builder());
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, Long.parseUnsignedLong(virtStart, 16),
                Long.parseUnsignedLong(virtEnd, 16), 0)));
        assertEquals(0, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("5.13.6.8.1 rule 48: MAP may touch the neighbours of a reserved region")
    void shouldMapNextToReservedRegion() {
        IommuMachine machine = start(builder());
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0xff_f000, 0xff_ffff, 0));
        machine.ok(Requests.map(ONE, 0x100_2000, DOORBELL - 1, 0));
        machine.ok(Requests.map(ONE, DOORBELL_END + 1, -1, 0));
    }

    @Test
    @DisplayName("5.13.6.8.1 rule 48: regions of every endpoint of the domain count, those of others do not")
    void shouldRejectMapWhenAnyEndpointOfTheDomainHasRegionThere() {
        IommuMachine machine = start(builder());
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.attach(TWO, DISK));
        machine.ok(Requests.map(ONE, 0x100_0000, 0x100_0fff, 0));
        assertEquals(Spec.INVAL, machine.status(Requests.map(TWO, 0x100_0000, 0x100_0fff, 0)));
        machine.ok(Requests.unmap(ONE, 0, -1));
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x100_0000, 0x100_0fff, 0)));
        machine.ok(Requests.detach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x100_0000, 0x100_0fff, 0));
    }

    /** What an endpoint can be when its accesses are not refused altogether. */
    enum State {
        /** Attached to a domain with mappings, of which none is in the way. */
        ATTACHED,
        /** Attached to a domain that bypasses translation. */
        BYPASS,
        /** Attached to nothing while the bypass byte is 1. */
        UNATTACHED;

        void enter(IommuMachine machine) {
            switch (this) {
                case ATTACHED -> machine.ok(Requests.attach(ONE, DISK));
                case BYPASS -> machine.ok(Requests.attachBypass(ONE, DISK));
                case UNATTACHED -> machine.writeBypass(1);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.8.1 rule 49: an access to a reserved region reaches nothing, in bypass neither")
    void shouldReachNothingInReservedRegion(State state) {
        IommuMachine machine = startIn(state, builder());
        assertRefused(machine, DISK, HOLE.start(), TranslateResult.NO_MAPPING);
        assertRefused(machine, DISK, HOLE.end(), TranslateResult.NO_MAPPING);
        // There is RAM at that guest-physical address.
        machine.fill(HOLE.start(), 8, 0);
        machine.dma(DISK).enter();
        assertEquals(DmaResult.FAULT, Dma.write(machine.dma(DISK), HOLE.start(), 8, 1));
        machine.dma(DISK).leave();
        assertTrue(machine.isFilled(HOLE.start(), 8, 0));
    }

    @ParameterizedTest
    @EnumSource(names = {"BYPASS", "UNATTACHED"})
    @DisplayName("5.13.6.8.1 rule 49: bypass reaches up to the borders of reserved regions, and no further in one go")
    void shouldEndBypassAtReservedRegions(State state) {
        IommuMachine machine = startIn(state, builder());
        assertEquals(Seen.at(0, 0, HOLE.start() - 1, READ_WRITE), machine.see(DISK, 0, Access.WRITE));
        assertEquals(Seen.at(HOLE.start() - 1, 0, HOLE.start() - 1, READ_WRITE),
                machine.see(DISK, HOLE.start() - 1, Access.READ));
        assertEquals(Seen.at(HOLE.end() + 1, HOLE.end() + 1, DOORBELL - 1, READ_WRITE),
                machine.see(DISK, HOLE.end() + 1, Access.READ));
        assertEquals(Seen.at(-1, DOORBELL_END + 1, -1, READ_WRITE), machine.see(DISK, -1, Access.WRITE));
        // What lies on either side is remembered by now, and must not be taken for more than it is.
        assertRefused(machine, DISK, HOLE.start(), TranslateResult.NO_MAPPING);
        machine.dma(DISK).enter();
        assertEquals(DmaResult.FAULT, Dma.write(machine.dma(DISK), HOLE.start() - 8, 16, 1));
        machine.dma(DISK).leave();
    }

    @ParameterizedTest
    @EnumSource(names = {"BYPASS", "UNATTACHED"})
    @DisplayName("5.13.6.8.1.2, choice: a page that is reserved in part is reserved, as it cannot be mapped either")
    void shouldReserveWholePagesInBypass(State state) {
        IommuMachine machine = startIn(state, VirtioIommu.builder().bootBypass(false).endpoint(DISK, ReservedRegions.of(
                new ReservedRegion(0x5800, 0x58ff, ReservedRegion.Kind.RESERVED),
                new ReservedRegion(0x1234, 0x5678, ReservedRegion.Kind.RESERVED),
                new ReservedRegion(-8, -1, ReservedRegion.Kind.RESERVED))));
        assertEquals(Seen.at(0xfff, 0, 0xfff, READ_WRITE), machine.see(DISK, 0xfff, Access.READ));
        for (long address : new long[] {0x1000, 0x1234, 0x4000, 0x5000, 0x5700, 0x5fff, -4096, -1}) {
            assertRefused(machine, DISK, address, TranslateResult.NO_MAPPING);
        }
        assertEquals(Seen.at(0x6000, 0x6000, -4097, READ_WRITE), machine.see(DISK, 0x6000, Access.READ));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.8.1 rule 49, choice: a write to the MSI region passes untranslated, a read is refused")
    void shouldPassWritesToMsiRegion(State state) {
        IommuMachine machine = startIn(state, builder());
        for (long address : new long[] {DOORBELL, DOORBELL + 0x1004, DOORBELL_END}) {
            assertEquals(Seen.at(address, DOORBELL, DOORBELL_END, ExtentSink.MESSAGES),
                    machine.see(DISK, address, Access.WRITE));
            assertEquals(Seen.refused(TranslateResult.NOT_PERMITTED), machine.see(DISK, address, Access.READ));
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.8.1 rule 49: DMA into the MSI region changes no memory, whatever lies there")
    void shouldChangeNoMemoryInMsiRegion(State state) {
        // Where RAM lies, as where an embedder's memory is one flat stretch.
        IommuMachine machine = startIn(state, VirtioIommu.builder().bootBypass(false).endpoint(DISK,
                ReservedRegions.of(new ReservedRegion(HOLE.start(), HOLE.end(), ReservedRegion.Kind.MSI))));
        machine.fill(HOLE.start(), 64, 0);
        DmaHandle handle = machine.dma(DISK);
        for (int round = 0; round < 2; round++) {
            handle.enter();
            // So that region and extent around it are known.
            handle.access(0x1000, 8, Access.WRITE, new DmaCursor());
            assertEquals(DmaResult.BUS_ERROR, Dma.write(handle, HOLE.start(), 8, 1));
            assertEquals(DmaResult.BUS_ERROR, handle.access(HOLE.start(), 8, Access.WRITE, new DmaCursor()));
            handle.leave();
            assertEquals(DmaResult.BUS_ERROR, handle.send(HOLE.start(), 0x0101_0101));
        }
        assertTrue(machine.isFilled(HOLE.start(), 64, 0));
    }

    @Test
    @DisplayName("5.13.6.8.1 rule 49, choice: without attachment and bypass the MSI region is blocked like all else")
    void shouldBlockMsiRegionWhenUnattached() {
        IommuMachine machine = start(builder());
        assertRefused(machine, DISK, DOORBELL, TranslateResult.NO_DOMAIN);
    }

    @ParameterizedTest
    @CsvSource({"1000, 1000, 1000, 1fff", "1234, 5678, 1000, 5fff", "fee00000, feeffffe, fee00000, feefffff",
        "fee00001, feefffff, fee00000, feefffff", "0, fffffffffffffffe, 0, ffffffffffffffff"})
    @DisplayName("5.13.6.8.1: an MSI region, to which accesses pass in one stretch, is made of whole pages")
    void shouldNotTakeMsiRegionOfPartsOfPages(String start, String end, String wholeStart, String wholeEnd) {
        long first = Long.parseUnsignedLong(start, 16);
        long last = Long.parseUnsignedLong(end, 16);
        String message = String.valueOf(assertThrows(IllegalArgumentException.class,
                () -> new ReservedRegion(first, last, ReservedRegion.Kind.MSI)).getMessage());
        assertTrue(message.startsWith("start=0x" + start + " end=0x" + end + " "), message);
        assertTrue(message.endsWith("give start=0x" + wholeStart + " end=0x" + wholeEnd), message);
        assertEquals(first, new ReservedRegion(first, last, ReservedRegion.Kind.RESERVED).start());
    }

    @Test
    @DisplayName("5.13.6.8.1: the MSI region of one endpoint is none of another's")
    void shouldKnowMsiRegionOfEachEndpoint() {
        IommuMachine machine = start(builder());
        machine.ok(Requests.attach(ONE, NIC));
        assertUnmapped(machine, NIC, DOORBELL);
        machine.ok(Requests.map(ONE, DOORBELL, DOORBELL + 0xfff, 0x1000));
        assertMapped(machine, NIC, DOORBELL, 0x1000);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.8.1: a message of an endpoint attached or in bypass arrives, of a blocked one not")
    void shouldDeliverMessage(State state) {
        IommuMachine machine = start(builder());
        List<String> messages = new ArrayList<>();
        machine.memory().addDoorbell(DOORBELL, DOORBELL_END - DOORBELL + 1, (requester, address, data) ->
                messages.add(requester + " " + Long.toHexString(address) + " " + data));
        DmaHandle handle = DmaSpace.of(machine.memory(), machine.iommu().translator(DISK), 0x48).open("disk");
        assertEquals(DmaResult.FAULT, handle.send(DOORBELL + 0x1000, 33));
        state.enter(machine);
        assertEquals(DmaResult.OK, handle.send(DOORBELL + 0x1000, 34));
        handle.close();
        assertEquals(List.of("72 fee01000 34"), messages);
    }

    private IommuMachine startIn(State state, VirtioIommuBuilder builder) {
        IommuMachine machine = start(builder);
        state.enter(machine);
        return machine;
    }

    private static VirtioIommuBuilder builder() {
        return VirtioIommu.builder().bootBypass(false)
                .endpoint(DISK, ReservedRegions.of(HOLE,
                        new ReservedRegion(DOORBELL, DOORBELL_END, ReservedRegion.Kind.MSI)))
                .endpoint(NIC);
    }
}
