// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.iommu.FaultyMirror.Fault;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.vmm.Access;

/** MAPs that come with one kick are announced to mirrors together, and each has the status it would have alone. */
class MirrorBatchTest extends IommuTests {

    private final FaultyMirror plain = new FaultyMirror();
    private final FaultyMirror splitting = new FaultyMirror();

    @Test
    void shouldAnnounceMapsOfOneKickTogether() {
        IommuMachine machine = attached();
        assertStatuses(machine, List.of(map(1, 1), map(2, 2), map(3, 7), map(5, 9)), 0, 0, 0, 0);
        assertEquals(List.of("begin 1", "map 1 1000 1fff 1000 3", "map 1 2000 2fff 2000 3", "map 1 3000 3fff 7000 3",
                "map 1 5000 5fff 9000 3", "commit 1"), plain.calls);
    }

    @Test
    @DisplayName("Only a mirror that can split is told of neighbours as one: both addresses continue, same flags")
    void shouldJoinNeighboursForMirrorThatCanSplit() {
        IommuMachine machine = attached();
        List<byte[]> maps = List.of(map(1, 1), map(2, 2), map(3, 3), map(4, 7), map(6, 9), map(8, 0xa),
                map(7, 0xb), Requests.map(ONE, 0x9000, 0x9fff, 0xb000, Spec.MAP_F_READ));
        assertStatuses(machine, maps, 0, 0, 0, 0, 0, 0, 0, 0);
        assertEquals(List.of("begin 1", "map 1 1000 3fff 1000 3", "map 1 4000 4fff 7000 3", "map 1 6000 6fff 9000 3",
                "map 1 8000 8fff a000 3", "map 1 7000 7fff b000 3", "map 1 9000 9fff b000 1", "commit 1"),
                splitting.calls);
        assertEquals(plain.pages, splitting.pages);
        machine.ok(Requests.unmap(ONE, 0x2000, 0x2fff));
        assertEquals(plain.pages, splitting.pages);
        assertUnmapped(machine, DISK, 0x2000);
        assertMapped(machine, DISK, 0x3000, 0x3000);
    }

    @Test
    @DisplayName("Nothing joins over the ends of the address space")
    void shouldNotJoinOverTheEnd() {
        IommuMachine machine = attached();
        assertStatuses(machine, List.of(Requests.map(ONE, -0x1000, -1, 0x1000), map(0, 2)), 0, 0);
        assertStatuses(machine, List.of(Requests.map(ONE, 0x4000, 0x4fff, -0x1000), map(5, 0)), 0, 0);
        assertEquals(4, splitting.calls.stream().filter(call -> call.startsWith("map")).count());
    }

    @Test
    void shouldReplayJoinedToMirrorThatCanSplit() {
        IommuMachine machine = attached();
        List<byte[]> maps = new ArrayList<>();
        for (int page = 1; page <= 20; page++) {
            maps.add(map(page, page));
        }
        machine.sendAll(maps);
        FaultyMirror late = new FaultyMirror();
        late.splits = true;
        assertEquals(Answer.DONE, machine.iommu().join(late));
        assertEquals(List.of("attach 8 1", "begin 1", "map 1 1000 14fff 1000 3", "commit 1"), late.calls);
        machine.iommu().leave(late);
        assertEquals(Map.of(), late.pages);
        assertThrows(IllegalArgumentException.class, () -> machine.iommu().leave(late));
    }

    @Test
    @DisplayName("Any other request ends a batch of MAPs: the order of the ring is the order of the mirrors")
    void shouldKeepTheOrderOfRequests() {
        IommuMachine machine = attached();
        machine.ok(Requests.attach(TWO, NIC));
        plain.calls.clear();
        assertStatuses(machine, List.of(map(1, 1), map(2, 2), Requests.unmap(ONE, 0x1000, 0x2fff), map(1, 5),
                Requests.map(TWO, 0x1000, 0x1fff, 0x8000), map(2, 6), Requests.detach(ONE, DISK), map(3, 3)),
                0, 0, 0, 0, 0, 0, 0, Spec.NOENT);
        assertEquals(List.of("begin 1", "map 1 1000 1fff 1000 3", "map 1 2000 2fff 2000 3", "commit 1",
                "unmap 1 1000 2fff", "begin 1", "map 1 1000 1fff 5000 3", "commit 1", "begin 2",
                "map 2 1000 1fff 8000 3", "commit 2", "begin 1", "map 1 2000 2fff 6000 3", "commit 1",
                "unmap 1 0 ffffffffffffffff", "detached 8 1"), plain.calls);
        assertEquals(plain.pages, splitting.pages);
    }

    @Test
    @DisplayName("A MAP that breaks a rule is told to nobody, and the others of its kick are not disturbed")
    void shouldAnswerEachMapByItself() {
        IommuMachine machine = attached();
        assertStatuses(machine, List.of(map(1, 1), map(1, 2), Requests.map(ONE, 0x1001, 0x1fff, 0), map(2, 2),
                Requests.map(TWO, 0x1000, 0x1fff, 0), Requests.map(ONE, 0x4000, 0x4fff, 0, 8), map(3, 3)),
                0, Spec.INVAL, Spec.RANGE, 0, Spec.NOENT, Spec.INVAL, 0);
        assertEquals(List.of("map 1 1000 1fff 1000 3", "map 1 2000 2fff 2000 3", "map 1 3000 3fff 3000 3"),
                plain.calls.stream().filter(call -> call.startsWith("map")).toList());
    }

    @Test
    void shouldCountMapsOfOneKickAgainstTheLimit() {
        IommuMachine machine = start(builder().maxMappings(3));
        machine.ok(Requests.attach(ONE, DISK));
        assertStatuses(machine, List.of(map(1, 1), map(2, 2), map(3, 3), map(4, 4), map(1, 1),
                Requests.unmap(ONE, 0x1000, 0x1fff), map(4, 4)),
                0, 0, 0, Spec.NOMEM, Spec.INVAL, 0, 0);
        assertEquals(3, plain.size(ONE));
    }

    @ParameterizedTest
    @EnumSource(names = "THROWN", mode = EnumSource.Mode.EXCLUDE)
    @DisplayName("If one MAP of a kick is refused, each of them has a status of its own")
    void shouldRefuseOnlyTheMapThatMirrorRefuses(Fault fault) {
        for (FaultyMirror refusing : List.of(plain, splitting)) {
            plain.calls.clear();
            IommuMachine machine = attached();
            refusing.refusedPage = 0x2000;
            refusing.refusal = fault;
            int refused = fault == Fault.NO_ROOM ? Spec.NOMEM : Spec.DEVERR;
            assertStatuses(machine, List.of(map(1, 1), map(2, 2), map(3, 3), map(2, 4)), 0, refused, 0, refused);
            assertEquals(2, machine.iommu().liveMappings());
            assertEquals(2, plain.size(ONE));
            assertEquals(plain.pages, splitting.pages);
            assertUnmapped(machine, DISK, 0x2000);
            refusing.refusal = null;
            machine.ok(map(2, 2));
            machine.ok(Requests.detach(ONE, DISK));
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Whichever call of a kick's MAPs fails once, what had agreed is taken back; then all are made")
    void shouldTakeBackWhatHadAgreed(Fault fault) {
        for (FaultyMirror failing : List.of(plain, splitting)) {
            for (int call = 1; call < 20; call++) {
                IommuMachine machine = attached();
                failing.failAt(call, fault);
                List<byte[]> maps = List.of(map(1, 1), map(2, 2), map(4, 4), map(5, 5), map(9, 9));
                if (fault == Fault.THROWN && !throwsOrAnswers(machine, maps)) {
                    assertTrue(failing.hasFailed());
                } else {
                    assertStatuses(machine, fault == Fault.THROWN ? List.of() : maps,
                            fault == Fault.THROWN ? new int[0] : new int[] {0, 0, 0, 0, 0});
                }
                assertEquals(5, machine.iommu().liveMappings());
                assertEquals(5, plain.size(ONE));
                assertEquals(plain.pages, splitting.pages);
                failing.failNoMore();
                machine.close();
            }
        }
    }

    private static boolean throwsOrAnswers(IommuMachine machine, List<byte[]> maps) {
        try {
            machine.sendAll(maps).forEach(reply -> Reply.assertStatus(Spec.OK, reply));
            return true;
        } catch (FaultyMirror.Thrown thrown) {
            return false;
        }
    }

    @Test
    @DisplayName("A MAP that waited for others when a mirror threw is not carried out after the reset")
    void shouldForgetWhatWaitedWhenMirrorThrew() {
        IommuMachine machine = attached();
        plain.failAt(2, Fault.THROWN);
        assertThrows(FaultyMirror.Thrown.class, () -> machine.sendAll(List.of(map(1, 1), map(1, 2))));
        machine.resetDevice();
        machine.start();
        plain.calls.clear();
        // The second request of a batch is read to where the one that waited was.
        assertStatuses(machine, List.of(Requests.attach(ONE, DISK), Requests.attach(TWO, DISK)), 0, 0);
        assertEquals(List.of("attach 8 1", "attach 8 2", "detached 8 1"), plain.calls);
        assertEquals(1, machine.iommu().counters().statuses(Spec.DEVERR), "the MAP that met the mirror, alone");
        assertEquals(0, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("If a mirror keeps what was refused, the MAPs of the kick fail, and their domain may end")
    void shouldFailMapsWhoseDomainEnds() {
        IommuMachine machine = attached();
        plain.failAt(3, Fault.NO_ROOM);
        plain.alsoFailAt(4, Fault.FAILED);
        assertStatuses(machine, List.of(map(1, 1), map(2, 2), map(3, 3)), Spec.DEVERR, Spec.DEVERR, Spec.DEVERR);
        assertTrue(plain.expelled);
        assertEquals(0, machine.iommu().liveDomains());
        assertEquals(0, machine.iommu().liveMappings());
        assertEquals(Map.of(), splitting.pages);
        assertBlocked(machine, DISK);
        machine.iommu().leave(plain);
        machine.ok(Requests.attach(ONE, DISK));
        assertUnmapped(machine, DISK, 0x1000);
        machine.ok(map(1, 1));
    }

    @Test
    @DisplayName("No device sees a mapping before all mirrors have agreed")
    void shouldShowMappingsAfterAllAgreed() {
        IommuMachine machine = attached();
        List<Seen> seen = new ArrayList<>();
        splitting.before = () -> seen.add(machine.see(DISK, 0x1000, Access.READ));
        machine.sendAll(List.of(map(1, 1), map(2, 2)));
        assertEquals(List.of(Seen.refused(TranslateResult.NO_MAPPING), Seen.refused(TranslateResult.NO_MAPPING)), seen);
        seen.clear();
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        assertEquals(List.of(Seen.refused(TranslateResult.NO_MAPPING)), seen);
        splitting.before = () -> { };
    }

    @Test
    @DisplayName("Mirrors of different page sizes stand side by side; one whose pages are too large cannot join")
    void shouldRefuseMirrorWhosePagesAreLargerThanTheGranule() {
        FaultyMirror large = new FaultyMirror();
        large.pageSizes = 0x4020_0000L | 0x1_0000;
        FaultyMirror small = new FaultyMirror();
        small.pageSizes = 0x20_1000;
        assertThrows(IllegalArgumentException.class, () -> iommu().mappingListener(large).build());
        IommuMachine machine = start(iommu().pageSizeMask(0x1_0000).mappingListener(large).mappingListener(small));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1_0000, 0x2_ffff, 0x5_0000));
        assertEquals(large.pages, small.pages);
        IommuMachine other = start(iommu());
        assertThrows(IllegalArgumentException.class, () -> other.iommu().join(large));
    }

    @Test
    @DisplayName("A mirror of some endpoints hears of their domains alone")
    void shouldTellMirrorOfItsEndpointsAlone() {
        FaultyMirror ofDisk = new FaultyMirror();
        IommuMachine machine = start(iommu().mappingListener(ofDisk, DISK));
        machine.ok(Requests.attach(ONE, NIC));
        machine.sendAll(List.of(map(1, 1), map(2, 2)));
        assertEquals(List.of(), ofDisk.calls);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.detach(ONE, DISK));
        machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0x8000));
        assertEquals(List.of("attach 8 1", "begin 1", "map 1 1000 1fff 1000 3", "map 1 2000 2fff 2000 3", "commit 1",
                "unmap 1 0 ffffffffffffffff", "detached 8 1"), ofDisk.calls);
    }

    @Test
    @DisplayName("5.13.6.3 rule 20: endpoints that share one address space cannot be in two domains")
    void shouldNotPartEndpointsOfOneAddressSpace() {
        FaultyMirror container = new FaultyMirror();
        container.oneDomain = true;
        IommuMachine machine = start(iommu().mappingListener(container, DISK, NIC));
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(TWO, NIC)));
        machine.ok(Requests.attach(ONE, NIC));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(TWO, NIC)));
        assertEquals(1, machine.iommu().liveDomains());
        machine.ok(Requests.detach(ONE, NIC));
        machine.ok(map(1, 1));
        container.calls.clear();
        machine.ok(Requests.attach(TWO, DISK));
        assertEquals(List.of("unmap 1 0 ffffffffffffffff", "detached 8 1", "attach 8 2"), container.calls);
    }

    @Test
    void shouldNotJoinMirrorOfOneAddressSpaceWhoseEndpointsAreApart() {
        FaultyMirror container = new FaultyMirror();
        container.oneDomain = true;
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        assertEquals(Answer.UNSUPPORTED, machine.iommu().join(container));
        assertEquals(Map.of(), container.attached);
        assertEquals(Answer.DONE, machine.iommu().join(container, NIC));
        assertThrows(IllegalArgumentException.class, () -> machine.iommu().join(container, NIC));
    }

    @Test
    @DisplayName("A mirror that joins and leaves while another thread sends requests is told everything once")
    void shouldReplayWhileRequestsAreServed() throws InterruptedException {
        IommuMachine machine = attached();
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong served = new AtomicLong();
        Thread guest = new Thread(() -> {
            for (int page = 1; !done.get(); page = page % 50 + 1) {
                machine.ok(page % 2 == 0 ? Requests.unmap(ONE, 0, -1) : map(page, page));
                machine.sendAll(List.of(map(page + 100, page), map(page + 101, page + 1), map(page + 102, page + 2)));
                served.addAndGet(4);
            }
        });
        guest.start();
        FaultyMirror late = new FaultyMirror();
        late.splits = true;
        for (int i = 0; i < 500; i++) {
            assertEquals(Answer.DONE, machine.iommu().join(late, DISK));
            long before = served.get();
            while (i % 10 == 0 && served.get() == before) {
                Thread.onSpinWait();
            }
            machine.iommu().leave(late);
            assertEquals(Map.of(), late.pages);
            late.calls.clear();
        }
        assertEquals(Answer.DONE, machine.iommu().join(late, DISK));
        done.set(true);
        guest.join();
        assertEquals(plain.pages, late.pages);
        assertEquals(plain.pages, splitting.pages);
    }

    private IommuMachine attached() {
        plain.reset();
        splitting.reset();
        splitting.splits = true;
        IommuMachine machine = start(builder());
        machine.ok(Requests.attach(ONE, DISK));
        plain.calls.clear();
        splitting.calls.clear();
        return machine;
    }

    private VirtioIommuBuilder builder() {
        return iommu().mappingListener(plain).mappingListener(splitting);
    }

    private static byte[] map(long page, long physicalPage) {
        return Requests.map(ONE, page << 12, (page << 12) + 0xfff, physicalPage << 12);
    }

    private static void assertStatuses(IommuMachine machine, List<byte[]> requests, int... expected) {
        List<Reply> replies = requests.isEmpty() ? List.of() : machine.sendAll(requests);
        for (int i = 0; i < replies.size(); i++) {
            Reply.assertStatus(expected[i], replies.get(i));
        }
    }
}
