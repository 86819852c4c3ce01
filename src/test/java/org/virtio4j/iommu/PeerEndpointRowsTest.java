// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.vmm.Access;

/**
 * Features of a virtio-iommu in which other implementations fall short, a test for each: what endpoints are attached
 * to, how they come and go, limits, and mirrors. The names are those of rows, as in {@link PeerRowsTest}.
 */
class PeerEndpointRowsTest extends IommuTests {

    private static final int THIRD = 10;
    private static final int ALIAS = 0x100;

    @Test
    @DisplayName("ATTACH: crosvm's second endpoint replaces the mapper, kvmtool refuses the same domain again")
    void shouldDetachImplicitlyWhenAttachedElsewhere() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attach(ONE, DISK));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.ok(Requests.attach(TWO, DISK));
        assertEquals(Spec.NOENT, machine.status(Requests.unmap(ONE, 0x1000, 0x1fff)), "left by all, so it is gone");
        assertUnmapped(machine, DISK, 0x1000);
    }

    @Test
    @DisplayName("ATTACH: QEMU answers INVAL and the endpoint has lost its domain; here a refused one changes nothing")
    void shouldKeepDomainWhenAttachIsRefused() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attachBypass(TWO, NIC));
        assertEquals(Spec.INVAL, machine.status(Requests.attach(TWO, DISK)));
        assertMapped(machine, DISK, 0x1000, 0x8000);
    }

    @Test
    @DisplayName("No translation of a former domain survives an ATTACH, whatever a device remembers")
    void shouldForgetTheFormerDomainWhenAttached() {
        IommuMachine machine = start(iommu().endpoint(ALIAS).group(DISK, ALIAS));
        machine.fill(0x8000, 0x2000, 0);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        DmaHandle handle = machine.dma(ALIAS);
        write(handle, DmaResult.OK, 1);
        machine.ok(Requests.attach(TWO, DISK));
        write(handle, DmaResult.FAULT, 2);
        machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0x9000));
        write(handle, DmaResult.OK, 3);
        assertTrue(machine.isFilled(0x8000, 8, 1));
        assertTrue(machine.isFilled(0x9000, 8, 3));
    }

    private static void write(DmaHandle handle, DmaResult expected, int value) {
        handle.enter();
        assertEquals(expected, Dma.write(handle, 0x1000, 8, value));
        handle.leave();
    }

    @Test
    @DisplayName("Blocking: an endpoint that is attached to nothing, and not in bypass, reaches nothing")
    void shouldReachNothingWhenAttachedToNothing() {
        IommuMachine machine = start();
        assertBlocked(machine, DISK);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0, 0xffff, 0));
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        machine.ok(Requests.attachBypass(ONE, DISK));
        assertIdentity(machine, DISK);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        machine.writeBypass(1);
        assertIdentity(machine, DISK);
        machine.writeBypass(0);
        assertBlocked(machine, DISK);
        machine.reset(ResetKind.DEVICE);
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("Several endpoints per domain: broken in crosvm, a walk over all endpoints for each MAP in CH")
    void shouldShareADomain() {
        IommuMachine machine = start(iommu().endpoint(THIRD));
        for (int endpoint : new int[] {DISK, NIC, THIRD}) {
            machine.ok(Requests.attach(ONE, endpoint));
            machine.ok(Requests.map(ONE, endpoint * 0x1000L, endpoint * 0x1000L + 0xfff, endpoint * 0x1000L));
        }
        for (int endpoint : new int[] {DISK, NIC, THIRD}) {
            for (long page = DISK; page <= THIRD; page++) {
                assertMapped(machine, endpoint, page * 0x1000, page * 0x1000);
            }
        }
        machine.ok(Requests.unmap(ONE, NIC * 0x1000L, NIC * 0x1000L + 0xfff));
        assertUnmapped(machine, THIRD, NIC * 0x1000L);
        machine.ok(Requests.detach(ONE, DISK));
        machine.iommu().unplug(NIC);
        assertMapped(machine, THIRD, DISK * 0x1000L, DISK * 0x1000L);
    }

    @Test
    @DisplayName("Endpoint hotplug/unplug: QEMU leaves VFIO's mappings behind, crosvm ends the domain")
    void shouldPlugAndUnplug() {
        List<String> told = new ArrayList<>();
        IommuMachine machine = start(iommu().mappingListener(new Recording(told)));
        machine.iommu().plug(THIRD, ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, THIRD));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        Translator first = machine.iommu().translator(THIRD);
        machine.iommu().unplug(THIRD);
        assertMapped(machine, DISK, 0x1000, 0x8000);
        assertEquals("detached a 1", told.getLast());
        machine.iommu().plug(THIRD, ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, THIRD));
        assertMapped(machine, THIRD, 0x1000, 0x8000);
        assertEquals(Seen.refused(TranslateResult.NO_DOMAIN), Seen.of(first, 0x1000, Access.READ));
        machine.iommu().unplug(THIRD);
        machine.iommu().unplug(DISK);
        assertEquals(List.of("unmap 1 0 ffffffffffffffff", "detached 8 1"), told.subList(told.size() - 2, told.size()));
        assertEquals(0, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("Groups / aliased ids: none of them has any; here ATTACH of one id moves all")
    void shouldAttachAllIdsOfADevice() {
        IommuMachine machine = start(iommu().endpoint(ALIAS).group(DISK, ALIAS));
        machine.ok(Requests.attach(ONE, ALIAS));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, ALIAS));
        machine.ok(Requests.detach(ONE, ALIAS));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, DISK));
        assertEquals(0, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("Several vIOMMUs: QEMU, CH and crosvm have one; plugging, claims and limits are each one's own")
    void shouldPlugIntoOneOfSeveral() {
        IommuMachine one = start(iommu().maxDomains(1));
        TransportKind other = transport.isPci() ? TransportKind.MMIO : TransportKind.PCI_MESSAGES;
        IommuMachine two = keep(new IommuMachine(other, iommu().build())).start();
        one.iommu().plug(THIRD, ReservedRegions.NONE);
        assertEquals(Spec.NOENT, two.status(Requests.attach(ONE, THIRD)));
        two.iommu().unplug(DISK);
        one.ok(Requests.attach(ONE, DISK));
        assertTrue(one.iommu().claim(NIC).isPresent());
        two.ok(Requests.attach(ONE, NIC));
        assertEquals(Spec.NOMEM, one.status(Requests.attach(TWO, THIRD)));
        two.iommu().plug(THIRD, ReservedRegions.NONE);
        two.ok(Requests.attach(TWO, THIRD));
    }

    @Test
    @DisplayName("Resource caps: CH has two that are fixed, QEMU, crosvm and kvmtool none")
    void shouldRefuseWhatIsBeyondLimits() {
        IommuMachine machine = start(iommu().maxDomains(1).maxMappingsPerDomain(1));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertEquals(Spec.NOMEM, machine.status(Requests.map(ONE, 0x3000, 0x3fff, 0x8000)));
        assertEquals(Spec.NOMEM, machine.status(Requests.attach(TWO, NIC)));
        machine.ok(Requests.unmap(ONE, 0, -1));
        machine.ok(Requests.map(ONE, 0x3000, 0x3fff, 0x8000));
    }

    @Test
    @DisplayName("VFIO mirroring: QEMU splits by powers of two, CH has one ioctl for each MAP; here as the driver maps")
    void shouldMirrorMappingsAsTheyAre() {
        List<String> told = new ArrayList<>();
        IommuMachine machine = start(iommu().mappingListener(new Recording(told), NIC));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x3fff, 0x8000));
        assertEquals(List.of(), told, "no endpoint of the listener is there");
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(TWO, 0x1000, 0x3fff, 0x8000));
        machine.ok(Requests.unmap(TWO, 0x1000, 0x3fff));
        assertEquals(List.of("attach 9 2", "map 2 1000 3fff", "unmap 2 1000 3fff"), told);
    }

    @Test
    @DisplayName("Replay to newly attached: crosvm has none, CH maps twice at a second ATTACH to the same domain")
    void shouldAnnounceWhatIsMappedToTheFirstEndpointAlone() {
        List<String> told = new ArrayList<>();
        IommuMachine machine = start(iommu().endpoint(THIRD).mappingListener(new Recording(told), NIC, THIRD));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.map(ONE, 0x2000, 0x2fff, 0x9000));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.attach(ONE, THIRD));
        assertEquals(List.of("attach 9 1", "map 1 1000 1fff", "map 1 2000 2fff", "attach a 1"), told);
    }

    /** Agrees to everything. */
    private record Recording(List<String> told) implements MappingListener {

        @Override
        public Answer attach(int endpoint, int domain, boolean bypass) {
            return done("attach", endpoint, domain);
        }

        @Override
        public void detached(int endpoint, int domain) {
            done("detached", endpoint, domain);
        }

        @Override
        public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
            return done("map", domain, virtStart, virtEnd);
        }

        @Override
        public Answer unmap(int domain, long virtStart, long virtEnd) {
            return done("unmap", domain, virtStart, virtEnd);
        }

        private Answer done(String what, long... numbers) {
            StringBuilder line = new StringBuilder(what);
            for (long number : numbers) {
                line.append(' ').append(Long.toHexString(number));
            }
            told.add(line.toString());
            return Answer.DONE;
        }
    }
}
