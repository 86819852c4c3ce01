// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** Section 5.13.6.3, ATTACH request. */
class AttachTest extends IommuTests {

    @ParameterizedTest
    @ValueSource(ints = {1, 0x100, 0x1_0000, 0x100_0000, 0x8000_0000, -1})
    @DisplayName("5.13.6.3 rule 14: reserved bytes that are not 0 make ATTACH invalid")
    void shouldRejectWhenReservedIsSet(int reserved) {
        IommuMachine machine = start();
        assertEquals(Spec.INVAL, machine.status(Requests.attach(ONE, DISK, 0, reserved)));
        assertEquals(Spec.INVAL, machine.status(Requests.attach(ONE, NOBODY, 0, reserved)));
        assertBlocked(machine, DISK);
        assertEquals(0, machine.iommu().liveDomains());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 0x100, 0x8000_0000, 0xffff_fffe})
    @DisplayName("5.13.6.3 rule 15: an unknown flag makes ATTACH invalid")
    void shouldRejectWhenFlagIsUnknown(int flags) {
        IommuMachine machine = start();
        assertEquals(Spec.INVAL, machine.status(Requests.attach(ONE, DISK, flags, 0)));
        assertEquals(Spec.INVAL, machine.status(Requests.attach(ONE, NOBODY, flags, 0)));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("5.13.6.3 rule 15, choice: BYPASS is an unknown flag unless BYPASS_CONFIG was negotiated")
    void shouldRejectWhenBypassFlagWasNotNegotiated() {
        IommuMachine machine = powerOn(iommu());
        machine.start(machine.offered().without(Spec.F_BYPASS_CONFIG));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, DISK)));
        assertBlocked(machine, DISK);
        IommuMachine without = start(iommu().without(Spec.F_BYPASS_CONFIG));
        assertEquals(Spec.INVAL, without.status(Requests.attachBypass(ONE, DISK)));
    }

    @ParameterizedTest
    @ValueSource(ints = {NOBODY, 0, -1, 0x1_0008, 0x8000_0008})
    @DisplayName("5.13.6.3 rule 16: an endpoint that does not exist is not found, all 32 bits of its number count")
    void shouldRejectWhenEndpointDoesNotExist(int endpoint) {
        IommuMachine machine = start();
        assertEquals(Spec.NOENT, machine.status(Requests.attach(ONE, endpoint)));
        assertEquals(0, machine.iommu().liveDomains());
        assertEquals(Spec.NOENT, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)));
    }

    @Test
    @DisplayName("5.13.6.3 rule 17: a domain takes several endpoints, which see the same mappings")
    void shouldAttachWhenDomainHoldsAnotherEndpoint() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x3000, 0x3fff, 0x9000));
        for (int endpoint : new int[] {DISK, NIC}) {
            assertMapped(machine, endpoint, 0x1004, 0x8004);
            assertMapped(machine, endpoint, 0x3004, 0x9004);
        }
        assertEquals(1, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("5.13.6.3 rule 18: a BYPASS flag that disagrees with the domain is invalid and changes nothing")
    void shouldRejectWhenKindOfDomainDisagrees() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attachBypass(TWO, NIC));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, NIC)));
        assertEquals(Spec.INVAL, machine.status(Requests.attach(TWO, DISK)));
        // Neither the other endpoint's domain nor its own can be given another kind.
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, DISK)));
        assertEquals(Spec.INVAL, machine.status(Requests.attach(TWO, NIC)));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        assertIdentity(machine, NIC);
    }

    @Test
    @DisplayName("5.13.6.3 rule 19: ATTACH elsewhere detaches first; a domain left by all is gone with its mappings")
    void shouldDetachFirstWhenAttachedElsewhere() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attach(TWO, DISK));
        assertUnmapped(machine, DISK, 0x1000);
        assertEquals(1, machine.iommu().liveDomains());
        assertEquals(0, machine.iommu().liveMappings());
        assertEquals(Spec.NOENT, machine.status(Requests.unmap(ONE, 0x1000, 0x1fff)));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, DISK)));
        machine.ok(Requests.detach(TWO, DISK));
    }

    @Test
    @DisplayName("5.13.6.3 rule 19: a domain that still holds an endpoint keeps its mappings when another one leaves")
    void shouldKeepDomainWhenOneOfTwoMoves() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attachBypass(TWO, DISK));
        assertIdentity(machine, DISK);
        assertMapped(machine, NIC, 0x1000, 0x8000);
        machine.ok(Requests.attach(ONE, DISK));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        assertEquals(1, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("5.13.6.3 rule 19, choice: ATTACH to the domain it is in already is OK and changes nothing")
    void shouldChangeNothingWhenAttachedToTheSameDomain() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attach(ONE, DISK));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        assertEquals(0, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("5.13.6.3 rule 20: an endpoint whose reserved regions are mapped in the domain is not supported there")
    void shouldRejectWhenMappingsLieInReservedRegionOfEndpoint() {
        IommuMachine machine = start(VirtioIommu.builder().bootBypass(false).endpoint(DISK)
                .endpoint(NIC, ReservedRegions.of(
                        new ReservedRegion(0x2_0000, 0x2_0fff, ReservedRegion.Kind.RESERVED))));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1_f000, 0x1_ffff, 0x8000));
        machine.ok(Requests.map(ONE, 0x2_1000, 0x2_1fff, 0x8000));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(ONE, 0x2_0000, 0x2_0fff, 0x8000));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, NIC)));
        // It stays where it was.
        machine.ok(Requests.detach(TWO, NIC));
    }

    @Test
    @DisplayName("5.13.6.3 rule 21: the first ATTACH makes the domain, and what was not rejected is attached")
    void shouldReallyAttachWhenNotRejected() {
        IommuMachine machine = start();
        for (int domain : new int[] {0, 1, 0x7fff_ffff, 0x8000_0000, -1}) {
            assertEquals(Spec.NOENT, machine.status(Requests.map(domain, 0x1000, 0x1fff, 0x8000)));
            machine.ok(Requests.attach(domain, DISK));
            assertUnmapped(machine, DISK, 0x1000);
            machine.ok(Requests.map(domain, 0x1000, 0x1fff, 0x8000));
            assertMapped(machine, DISK, 0x1000, 0x8000);
        }
    }

    @Test
    @DisplayName("5.13.6.3 rule 21: the last DETACH ends a domain with its mappings, and its number is free")
    void shouldEndDomainWhenLastEndpointIsDetached() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.detach(ONE, DISK));
        assertMapped(machine, NIC, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, NIC));
        assertEquals(Spec.NOENT, machine.status(Requests.unmap(ONE, 0x1000, 0x1fff)));
        assertEquals(0, machine.iommu().liveMappings());
        machine.ok(Requests.attach(ONE, DISK));
        assertUnmapped(machine, DISK, 0x1000);
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x9000));
    }

    @Test
    @DisplayName("5.13.6.3, choice: a domain number outside domain_range is out of range")
    void shouldRejectWhenDomainIsOutOfRange() {
        IommuMachine machine = start(iommu().domainRange(2, 0x8000_0003));
        assertEquals(Spec.RANGE, machine.status(Requests.attach(1, DISK)));
        assertEquals(Spec.RANGE, machine.status(Requests.attachBypass(0x8000_0004, DISK)));
        assertEquals(Spec.NOENT, machine.status(Requests.attach(1, NOBODY)));
        assertBlocked(machine, DISK);
        machine.ok(Requests.attach(2, DISK));
        machine.ok(Requests.attach(0x8000_0003, DISK));
        assertEquals(Spec.RANGE, machine.status(Requests.attach(0, DISK)));
        machine.ok(Requests.detach(0x8000_0003, DISK));
    }

    @Test
    @DisplayName("5.13.6.3, choice: ATTACH and DETACH work without MAP_UNMAP")
    void shouldAttachWithoutMapUnmap() {
        IommuMachine machine = start(iommu().without(Spec.F_MAP_UNMAP));
        machine.ok(Requests.attachBypass(ONE, DISK));
        assertIdentity(machine, DISK);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("5.13.6.3: any number of moves in one batch is served, with fewer domains than moves")
    void shouldServeManyMovesInOneBatch() {
        IommuMachine machine = start();
        byte[][] moves = new byte[100][];
        for (int i = 0; i < moves.length; i++) {
            moves[i] = Requests.attach(i, i % 2 == 0 ? DISK : NIC);
        }
        for (Reply reply : machine.sendAll(List.of(moves))) {
            Reply.assertStatus(Spec.OK, reply);
        }
        assertEquals(2, machine.iommu().liveDomains());
        machine.ok(Requests.map(98, 0x1000, 0x1fff, 0x8000));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        assertUnmapped(machine, NIC, 0x1000);
    }
}
