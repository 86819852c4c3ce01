// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Several ids that stand for one device. */
class GroupTest extends IommuTests {

    private static final int ALIAS = 0x100;
    private static final int OTHER_ALIAS = 0x101;
    private static final ReservedRegions HOLE =
            ReservedRegions.of(new ReservedRegion(0x2000, 0x2fff, ReservedRegion.Kind.RESERVED));

    /** The disk has two aliases; the NIC is alone. */
    private static VirtioIommuBuilder grouped() {
        return iommu().endpoint(ALIAS).endpoint(OTHER_ALIAS, HOLE).group(DISK, ALIAS, OTHER_ALIAS);
    }

    private static void assertAllMapped(IommuMachine machine, long iova, long physical) {
        for (int id : new int[] {DISK, ALIAS, OTHER_ALIAS}) {
            assertMapped(machine, id, iova, physical);
        }
    }

    @Test
    @DisplayName("The first ATTACH moves all ids of a group, and no other endpoint")
    void shouldAttachAllWhenOneIsAttached() {
        IommuMachine machine = start(grouped());
        machine.ok(Requests.attach(ONE, ALIAS));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertAllMapped(machine, 0x1000, 0x8000);
        assertBlocked(machine, NIC);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(ONE, OTHER_ALIAS));
        assertEquals(1, machine.iommu().liveMappings());
        machine.ok(Requests.attach(TWO, OTHER_ALIAS));
        assertEquals(1, machine.iommu().liveDomains(), "all have left the first one, which is gone");
        assertEquals(0, machine.iommu().liveMappings());
        machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0x9000));
        assertAllMapped(machine, 0x1000, 0x9000);
        machine.ok(Requests.attachBypass(3, DISK));
        assertIdentity(machine, ALIAS);
    }

    @Test
    @DisplayName("DETACH is per id: the domain lives until the last id leaves, and a repeated DETACH is OK")
    void shouldKeepDomainUntilLastIdLeaves() {
        IommuMachine machine = start(grouped());
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        assertMapped(machine, ALIAS, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, DISK));
        machine.ok(Requests.detach(ONE, OTHER_ALIAS));
        machine.ok(Requests.detach(ONE, ALIAS));
        assertEquals(0, machine.iommu().liveDomains());
        machine.ok(Requests.detach(ONE, ALIAS));
        // One that is attached is not detached from anything else.
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.attach(TWO, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, DISK)));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(3, ALIAS)));
        // An endpoint that is alone has no second DETACH.
        machine.ok(Requests.detach(ONE, NIC));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, NIC)));
    }

    @Test
    @DisplayName("An ATTACH takes those along again that were detached one by one")
    void shouldAttachAgainWhenSomeWereDetached() {
        IommuMachine machine = start(grouped());
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.detach(ONE, DISK));
        machine.ok(Requests.detach(ONE, ALIAS));
        machine.ok(Requests.attach(ONE, OTHER_ALIAS));
        assertAllMapped(machine, 0x1000, 0x8000);
    }

    @Test
    @DisplayName("Linux's order: ATTACH of each id, DETACH of each id, for two devices with one alias in common")
    void shouldServeWhenTwoDevicesShareAnAlias() {
        int bridge = 0x200;
        IommuMachine machine = start(iommu().endpoint(bridge).group(DISK, NIC, bridge));
        for (int[] ids : new int[][] {{DISK, bridge}, {NIC, bridge}}) {
            for (int id : ids) {
                machine.ok(Requests.attach(ONE, id));
            }
        }
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        for (int id : new int[] {DISK, bridge}) {
            machine.ok(Requests.detach(ONE, id));
        }
        assertMapped(machine, NIC, 0x1000, 0x8000);
        for (int id : new int[] {bridge, NIC}) {
            machine.ok(Requests.detach(ONE, id));
        }
        assertEquals(0, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("A domain must respect the reserved regions of all ids of a group, and so must each later MAP")
    void shouldRespectReservedRegionsOfAll() {
        IommuMachine machine = start(grouped());
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x2000, 0x2fff, 0x8000));
        machine.ok(Requests.attach(TWO, ALIAS));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, DISK)));
        assertEquals(Spec.INVAL, machine.status(Requests.map(TWO, 0x2000, 0x2fff, 0x8000)));
        machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0x9000));
        assertAllMapped(machine, 0x1000, 0x9000);
    }

    @Test
    @DisplayName("All or nothing: a listener that refuses one id keeps all where they were, and hears of the way back")
    void shouldMoveNoneWhenOneIsRefused() {
        List<String> told = new ArrayList<>();
        IommuMachine machine = start(grouped().mappingListener(new Picky(told)));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        told.clear();
        assertEquals(Spec.DEVERR, machine.status(Requests.attach(TWO, ALIAS)));
        assertEquals(List.of("attach 8", "attach 100", "attach 101", "detached 100", "detached 8"), told);
        assertAllMapped(machine, 0x1000, 0x8000);
        assertEquals(1, machine.iommu().liveDomains());
    }

    /** Takes no third endpoint into domain 2. */
    private record Picky(List<String> told) implements MappingListener {

        @Override
        public Answer attach(int endpoint, int domain, boolean bypass) {
            told.add("attach " + Integer.toHexString(endpoint));
            return domain == TWO && endpoint == OTHER_ALIAS ? Answer.FAILED : Answer.DONE;
        }

        @Override
        public void detached(int endpoint, int domain) {
            told.add("detached " + Integer.toHexString(endpoint));
        }

        @Override
        public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
            return Answer.DONE;
        }

        @Override
        public Answer unmap(int domain, long virtStart, long virtEnd) {
            return Answer.DONE;
        }
    }

    @Test
    @DisplayName("A member that is plugged later is attached by the next ATTACH of any id")
    void shouldAttachWhenMemberCameLater() {
        IommuMachine machine = start(iommu().group(DISK, ALIAS));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.iommu().plug(ALIAS, ReservedRegions.NONE);
        assertBlocked(machine, ALIAS);
        machine.ok(Requests.attach(ONE, DISK));
        assertMapped(machine, ALIAS, 0x1000, 0x8000);
        machine.iommu().unplug(DISK);
        assertMapped(machine, ALIAS, 0x1000, 0x8000);
        machine.iommu().unplug(ALIAS);
        assertEquals(0, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("A group that is plugged while the guest runs is one until its last member is unplugged")
    void shouldForgetGroupWhenLastMemberIsUnplugged() {
        IommuMachine machine = start();
        VirtioIommu iommu = machine.iommu();
        iommu.plugGroup(HOLE, ALIAS, OTHER_ALIAS);
        machine.ok(Requests.attach(ONE, ALIAS));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertMapped(machine, OTHER_ALIAS, 0x1000, 0x8000);
        assertThrows(IllegalArgumentException.class, () -> iommu.plugGroup(HOLE, 0x300, ALIAS));
        assertThrows(IllegalArgumentException.class, () -> iommu.translator(0x300), "nothing was plugged");
        iommu.unplug(ALIAS);
        assertThrows(IllegalArgumentException.class, () -> iommu.plugGroup(HOLE, 0x300, ALIAS), "still in its group");
        iommu.unplug(OTHER_ALIAS);
        iommu.plug(ALIAS, HOLE);
        iommu.plug(OTHER_ALIAS, HOLE);
        machine.ok(Requests.attach(ONE, ALIAS));
        assertBlocked(machine, OTHER_ALIAS);
        assertThrows(IllegalArgumentException.class, () -> iommu.plugGroup(HOLE, 0x300, 0x300));
    }

    @Test
    @DisplayName("Each id is an endpoint of its own: faults name the one that tried")
    void shouldReportTheIdThatTried() {
        IommuMachine machine = start(grouped());
        machine.ok(Requests.attach(ONE, DISK));
        machine.addEventBuffers(2, 24);
        machine.touch(OTHER_ALIAS, 0x5000, Access.READ);
        assertEquals(OTHER_ALIAS & 0xff, machine.takeEvents().getFirst().writable()[8]);
    }

    @Test
    @DisplayName("An id that is in two groups, or twice in one, is the embedder's mistake")
    void shouldRefuseWhenEmbedderIsWrong() {
        VirtioIommuBuilder builder = iommu().group(DISK, ALIAS);
        assertThrows(IllegalArgumentException.class, () -> builder.group(NIC, ALIAS));
        assertThrows(IllegalArgumentException.class, () -> builder.group(NIC, NIC));
        builder.group(NIC, OTHER_ALIAS);
    }
}
