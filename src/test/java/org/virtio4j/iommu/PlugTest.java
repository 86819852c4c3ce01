// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.fixture.KeepingMirror;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Endpoints that come and go while the guest runs. */
class PlugTest extends IommuTests {

    private static final int LATE = 0x108;
    private static final ReservedRegion HOLE = new ReservedRegion(0x1000, 0x1fff, ReservedRegion.Kind.RESERVED);
    private static final ReservedRegions HOLES = ReservedRegions.of(HOLE);

    /** The disk's page 1 leads to 0x8000, where nothing is but {@code 0x11}. */
    private IommuMachine attached() {
        IommuMachine machine = start();
        machine.fill(0x8000, 0x1000, 0x11);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        return machine;
    }

    @Test
    @DisplayName("An endpoint that is plugged can be probed, attached and used; before, it does not exist")
    void shouldServeWhenPlugged() {
        IommuMachine machine = start();
        assertEquals(Spec.NOENT, machine.status(Requests.attach(ONE, LATE)));
        machine.iommu().plug(LATE, HOLES);
        assertBlocked(machine, LATE);
        assertEquals(HOLES.list().size() * 24, firstZero(machine.send(Requests.probe(LATE), 512 + Spec.TAIL)));
        machine.ok(Requests.attach(ONE, LATE));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)), "its reserved region");
        machine.ok(Requests.map(ONE, 0x2000, 0x2fff, 0x8000));
        assertMapped(machine, LATE, 0x2004, 0x8004);
        assertEquals(HOLE.start(), machine.iommu().usableRanges(LATE).get(0).end() + 1);
    }

    private static int firstZero(Reply reply) {
        assertEquals(Spec.OK, reply.status());
        int at = 0;
        while (reply.writable()[at] != 0) {
            at += 4 + reply.writable()[at + 2];
        }
        return at;
    }

    @Test
    @DisplayName("An endpoint that is plugged while the bypass byte is 1 bypasses, as any that is attached to nothing")
    void shouldBypassWhenPluggedIntoBypass() {
        IommuMachine machine = start();
        machine.writeBypass(1);
        machine.iommu().plug(LATE, ReservedRegions.NONE);
        assertIdentity(machine, LATE);
        machine.writeBypass(0);
        assertBlocked(machine, LATE);
    }

    @Test
    @DisplayName("5.13.6.3 to 5.13.6.8: ATTACH, DETACH and PROBE do not find an endpoint that was unplugged")
    void shouldNotFindWhenUnplugged() {
        IommuMachine machine = attached();
        machine.iommu().unplug(DISK);
        assertEquals(0, machine.iommu().liveDomains(), "the domain ends with its last endpoint");
        assertEquals(0, machine.iommu().liveMappings());
        assertEquals(Spec.NOENT, machine.status(Requests.attach(ONE, DISK)));
        assertEquals(Spec.NOENT, machine.status(Requests.detach(ONE, DISK)));
        assertEquals(Spec.NOENT, machine.send(Requests.probe(DISK), 512 + Spec.TAIL).status());
        assertEquals(Spec.NOENT, machine.status(Requests.unmap(ONE, 0x1000, 0x1fff)));
        assertThrows(IllegalArgumentException.class, () -> machine.iommu().translator(DISK));
        assertThrows(IllegalArgumentException.class, () -> machine.iommu().unplug(DISK));
    }

    @Test
    @DisplayName("A domain goes on when one of two endpoints is unplugged, without its reserved regions")
    void shouldKeepDomainWhenAnotherEndpointStays() {
        IommuMachine machine = attached();
        machine.iommu().plug(LATE, ReservedRegions.of(new ReservedRegion(0x2000, 0x2fff, HOLE.kind())));
        machine.ok(Requests.attach(ONE, LATE));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x2000, 0x2fff, 0x9000)));
        machine.iommu().unplug(LATE);
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.ok(Requests.map(ONE, 0x2000, 0x2fff, 0x9000));
    }

    @Test
    @DisplayName("What was handed out for an endpoint refuses for ever once it is unplugged, in bypass as well")
    void shouldRefuseForEverWhenUnplugged() {
        IommuMachine machine = attached();
        DmaHandle dma = machine.dma(DISK);
        Translator old = machine.iommu().translator(DISK);
        long before = old.generation();
        machine.iommu().unplug(DISK);
        assertTrue(old.generation() != before, "rings of the device notice");
        machine.writeBypass(1);
        machine.iommu().plug(DISK, ReservedRegions.NONE);
        assertIdentity(machine, DISK);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.reset(ResetKind.DEVICE);
        assertEquals(Seen.refused(TranslateResult.NO_DOMAIN), Seen.of(old, 0x1000, Access.READ));
        dma.enter();
        assertEquals(DmaResult.FAULT, Dma.write(dma, 0x1000, 8, 0x22));
        dma.leave();
        // A handle that is opened too late, and closing, disturb nobody.
        DmaSpace.of(machine.memory(), old).open("late").close();
        dma.close();
        assertEquals(Seen.refused(TranslateResult.NO_DOMAIN), Seen.of(old, 0x1000, Access.READ));
        assertTrue(machine.isFilled(0x8000, 0x1000, 0x11));
    }

    @Test
    @DisplayName("5.13.6.9 rule 51: faults of an endpoint that was unplugged are counted, not reported")
    void shouldNotReportFaultsWhenUnplugged() {
        IommuMachine machine = attached();
        machine.touch(DISK, 0x5000, Access.READ);
        machine.touch(NIC, 0x6000, Access.READ);
        machine.touch(DISK, 0x7000, Access.READ);
        machine.iommu().unplug(DISK);
        assertEquals(2, machine.iommu().counters().lostFaults());
        machine.iommu().plug(DISK, ReservedRegions.NONE);
        machine.touch(DISK, 0x8000, Access.WRITE);
        assertEquals(3, machine.iommu().counters().lostFaults(), "the handle is that of the first disk");
        machine.addEventBuffers(8, 24);
        machine.driver().kick(machine.events());
        assertEquals(1, machine.takeEvents().size());
        assertEquals(1, machine.iommu().counters().reportedFaults());
    }

    @Test
    @DisplayName("An id that is there, too many endpoints, and regions that do not fit are the embedder's mistakes")
    void shouldRefuseWhenEmbedderIsWrong() {
        IommuMachine machine = start(iommu().maxEndpoints(3));
        VirtioIommu iommu = machine.iommu();
        String message = Objects.requireNonNull(
                assertThrows(IllegalArgumentException.class, () -> iommu.plug(DISK, HOLES)).getMessage());
        assertTrue(message.startsWith("endpoint=0x8"), message);
        assertThrows(IllegalArgumentException.class, () -> iommu.plug(LATE,
                ReservedRegions.of(new ReservedRegion(0, -1, ReservedRegion.Kind.RESERVED))));
        iommu.plug(LATE, HOLES);
        assertThrows(IllegalArgumentException.class, () -> iommu.plug(LATE + 1, HOLES));
        iommu.unplug(NIC);
        iommu.plug(LATE + 1, HOLES);
        assertThrows(IllegalArgumentException.class, () -> iommu.unplug(NIC));
        assertThrows(IllegalArgumentException.class, () -> iommu.unplug(NOBODY));
    }

    @Test
    @DisplayName("Once the IOMMU is closed, endpoints can go and claims end, but none can come")
    void shouldLetEndpointsGoWhenClosed() {
        VirtioIommu iommu = iommu().build();
        Translator disk = iommu.translator(DISK);
        EndpointClaim claim = iommu.claim(NIC).orElseThrow();
        iommu.close();
        claim.close();
        iommu.unplug(DISK);
        iommu.unplug(NIC);
        assertEquals(Seen.refused(TranslateResult.NO_DOMAIN), Seen.of(disk, 0, Access.READ));
        assertThrows(IllegalStateException.class, () -> iommu.plug(LATE, ReservedRegions.NONE));
        assertThrows(IllegalStateException.class, () -> iommu.plugGroup(ReservedRegions.NONE, LATE));
        iommu.close();
    }

    @Test
    @DisplayName("A listener that keeps what an unplugged endpoint had bars the id until it leaves, also in bypass")
    void shouldBarTheIdWhenListenerKeepsMappings() {
        KeepingMirror keeping = new KeepingMirror();
        IommuMachine machine = start(iommu().mappingListener(keeping, LATE));
        machine.iommu().plug(LATE, ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, LATE));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.iommu().unplug(LATE);
        machine.writeBypass(1);
        machine.iommu().plug(LATE, ReservedRegions.NONE);
        assertBlocked(machine, LATE);
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, LATE)));
        machine.iommu().endpointReset(LATE);
        assertBlocked(machine, LATE);
        machine.iommu().leave(keeping);
        machine.ok(Requests.attach(ONE, LATE));
        assertUnmapped(machine, LATE, 0x1000);
    }
}
