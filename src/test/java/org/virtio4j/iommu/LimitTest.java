// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.embedder.MappingListener;

/** What is beyond a limit gets NOMEM and changes nothing; everything else that is wrong comes before. */
class LimitTest extends IommuTests {

    private static final int THREE = 3;

    private static byte[] page(int domain, int page) {
        return Requests.map(domain, page * 0x1000L, page * 0x1000L + 0xfff, 0x8000);
    }

    @Test
    @DisplayName("ATTACH that would make one domain too many is NOMEM, and the endpoint stays where it was")
    void shouldRefuseDomainBeyondLimit() {
        IommuMachine machine = start(iommu().endpoint(10).maxDomains(1));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(page(ONE, 1));
        assertEquals(Spec.NOMEM, machine.status(Requests.attach(TWO, NIC)));
        assertEquals(Spec.NOMEM, machine.status(Requests.attachBypass(TWO, NIC)));
        assertBlocked(machine, NIC);
        assertEquals(1, machine.iommu().liveDomains());
        machine.ok(Requests.attach(ONE, NIC));
        assertEquals(Spec.NOMEM, machine.status(Requests.attach(TWO, NIC)), "the disk stays in the first one");
        assertMapped(machine, NIC, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, NIC));
        machine.ok(Requests.attach(TWO, DISK));
        assertEquals(1, machine.iommu().liveDomains(), "one has ended for the other");
    }

    @Test
    @DisplayName("A group of which each id has a domain of its own makes room for the one that all move to")
    void shouldCountDomainsThatEndByTheAttach() {
        IommuMachine machine = start(iommu().group(DISK, NIC).endpoint(10).maxDomains(1));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        assertEquals(1, machine.iommu().liveDomains());
        machine.ok(Requests.attach(TWO, 10));
        assertEquals(Spec.NOMEM, machine.status(Requests.attach(ONE, NIC)));
        machine.ok(Requests.detach(TWO, 10));
        machine.ok(Requests.attach(ONE, NIC));
    }

    @Test
    @DisplayName("The limit of domains is checked after the domain's number and kind")
    void shouldCheckDomainsLast() {
        IommuMachine machine = start(iommu().domainRange(0, 9).maxDomains(1));
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.RANGE, machine.status(Requests.attach(10, NIC)));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, NIC)));
        assertEquals(Spec.NOENT, machine.status(Requests.attach(TWO, NOBODY)));
        assertEquals(Spec.NOMEM, machine.status(Requests.attach(TWO, NIC)));
    }

    @Test
    @DisplayName("MAP beyond the limit of one domain is NOMEM; another domain has room, and UNMAP makes some")
    void shouldRefuseMappingBeyondLimitOfDomain() {
        IommuMachine machine = start(iommu().maxMappingsPerDomain(2).maxMappings(3));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(page(ONE, 1));
        machine.ok(page(ONE, 3));
        assertEquals(Spec.NOMEM, machine.status(page(ONE, 5)));
        assertEquals(Spec.INVAL, machine.status(page(ONE, 3)), "an overlap comes first");
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, 0x1000, 0x1ffe, 0)));
        assertUnmapped(machine, DISK, 0x5000);
        machine.ok(page(TWO, 1));
        assertEquals(Spec.NOMEM, machine.status(page(TWO, 3)), "the limit of all domains");
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        machine.ok(page(TWO, 3));
        assertEquals(3, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("A listener without room is a limit, too: NOMEM, and nothing has changed")
    void shouldRefuseWhenListenerHasNoRoom() {
        IommuMachine machine = start(iommu().mappingListener(new Full()));
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.NOMEM, machine.status(page(ONE, 1)));
        assertUnmapped(machine, DISK, 0x1000);
        assertEquals(Spec.NOMEM, machine.status(Requests.attach(TWO, DISK)));
        assertEquals(1, machine.iommu().liveDomains());
        assertEquals(0, machine.iommu().liveMappings());
    }

    /** Has room for one domain and no mapping. */
    private static final class Full implements MappingListener {

        @Override
        public Answer attach(int endpoint, int domain, boolean bypass) {
            return domain == ONE ? Answer.DONE : Answer.NO_ROOM;
        }

        @Override
        public void detached(int endpoint, int domain) {
            // It has nothing.
        }

        @Override
        public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
            return Answer.NO_ROOM;
        }

        @Override
        public Answer unmap(int domain, long virtStart, long virtEnd) {
            return Answer.DONE;
        }
    }

    @Test
    @DisplayName("Limits that leave a driver nothing are the embedder's mistake")
    void shouldRefuseWhenEmbedderIsWrong() {
        assertThrows(IllegalArgumentException.class, () -> iommu().maxDomains(0));
        assertThrows(IllegalArgumentException.class, () -> iommu().maxMappingsPerDomain(0));
        assertThrows(IllegalArgumentException.class, () -> iommu().maxEndpoints(0));
        assertThrows(IllegalArgumentException.class, () -> iommu().maxEndpoints(1).build());
        start(iommu().maxDomains(THREE)).ok(Requests.attach(ONE, DISK));
    }
}
