// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaResult;

/** Section 5.13.6.4, DETACH request. */
class DetachTest extends IommuTests {

    @Test
    @DisplayName("5.13.6.4 rule 22: reserved bytes of DETACH are ignored")
    void shouldIgnoreReserved() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.with(Requests.detach(ONE, DISK), 12, 0xff, 1, 2, 3, 4, 5, 6, 0x80));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("5.13.6.4 rule 23: an endpoint that does not exist is not found, before anything else is looked at")
    void shouldRejectWhenEndpointDoesNotExist() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.NOENT, machine.status(Requests.detach(ONE, NOBODY)));
        assertEquals(Spec.NOENT, machine.status(Requests.detach(ONE, DISK | 0x1_0000)));
        assertEquals(Spec.NOENT, machine.status(Requests.detach(TWO, NOBODY)));
    }

    @Test
    @DisplayName("5.13.6.4 rule 24, choice: DETACH from a domain that does not exist is invalid")
    void shouldRejectWhenDomainDoesNotExist() {
        IommuMachine machine = start(iommu().domainRange(0, 5));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, DISK)));
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(TWO, DISK)));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(6, DISK)));
        assertUnmapped(machine, DISK, 0);
        machine.ok(Requests.detach(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, DISK)));
    }

    @Test
    @DisplayName("5.13.6.4 rule 24, choice: DETACH from a domain that does not hold the endpoint is invalid")
    void shouldRejectWhenEndpointIsInAnotherDomain() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.attach(TWO, NIC));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, NIC)));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(TWO, DISK)));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        assertUnmapped(machine, NIC, 0x1000);
    }

    @Test
    @DisplayName("5.13.6.4 rule 25: an endpoint that was detached reaches no mapping of the domain any more")
    void shouldReachNoMappingWhenDetached() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x100_0000));
        write(machine, DmaResult.OK);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        write(machine, DmaResult.FAULT);
        assertMapped(machine, NIC, 0x1000, 0x100_0000);
        // What it may reach in bypass is guest-physical memory, which is not the mapping.
        machine.writeBypass(1);
        assertIdentity(machine, DISK);
    }

    private static void write(IommuMachine machine, DmaResult expected) {
        machine.fill(0x100_0000, 8, 0);
        machine.dma(DISK).enter();
        assertEquals(expected, Dma.write(machine.dma(DISK), 0x1000, 8, 0x77));
        machine.dma(DISK).leave();
        assertEquals(expected == DmaResult.OK, machine.isFilled(0x100_0000, 8, 0x77));
        assertEquals(expected != DmaResult.OK, machine.isFilled(0x100_0000, 8, 0));
    }
}
