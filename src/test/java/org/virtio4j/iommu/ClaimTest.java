// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** The host takes an endpoint for itself. */
class ClaimTest extends IommuTests {

    private static final int ALIAS = 0x100;

    private static EndpointClaim claimed(IommuMachine machine, int endpoint) {
        return machine.iommu().claim(endpoint).orElseThrow();
    }

    @Test
    @DisplayName("While an endpoint is claimed, ATTACH is UNSUPP and PROBE is OK, and others are as they were")
    void shouldRefuseAttachWhileClaimed() {
        IommuMachine machine = start();
        EndpointClaim claim = claimed(machine, DISK);
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, DISK)));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attachBypass(ONE, DISK)));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, DISK)));
        assertEquals(Spec.OK, machine.send(Requests.probe(DISK), 512 + Spec.TAIL).status());
        assertEquals(0, machine.iommu().liveDomains());
        machine.ok(Requests.attach(ONE, NIC));
        claim.close();
        machine.ok(Requests.attach(ONE, DISK));
    }

    @Test
    @DisplayName("A claimed endpoint reaches nothing, in bypass as well; given back, the bypass byte decides")
    void shouldReachNothingWhileClaimed() {
        IommuMachine machine = start();
        machine.writeBypass(1);
        assertIdentity(machine, DISK);
        EndpointClaim claim = claimed(machine, DISK);
        assertBlocked(machine, DISK);
        machine.writeBypass(0);
        machine.writeBypass(1);
        machine.iommu().endpointReset(DISK);
        machine.dma(DISK).close();
        assertBlocked(machine, DISK);
        assertIdentity(machine, NIC);
        claim.close();
        assertIdentity(machine, DISK);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("No reset ends a claim")
    void shouldKeepClaimWhenReset(ResetKind kind) {
        IommuMachine machine = start(iommu().bootBypass(true));
        EndpointClaim claim = claimed(machine, DISK);
        machine.reset(kind);
        assertBlocked(machine, DISK);
        assertIdentity(machine, NIC);
        machine.start();
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, DISK)));
        assertTrue(claim.isHeld());
        claim.close();
        machine.ok(Requests.attach(ONE, DISK));
    }

    @Test
    @DisplayName("Given back while its device is at work, an endpoint is blocked first, as after a reset")
    void shouldBlockWhenGivenBackLive() {
        IommuMachine machine = start();
        machine.writeBypass(1);
        DmaHandle atWork = machine.dma(DISK);
        EndpointClaim claim = claimed(machine, DISK);
        claim.close();
        assertBlocked(machine, DISK);
        machine.iommu().endpointReset(DISK);
        assertIdentity(machine, DISK);
        atWork.close();
        IommuMachine letter = start(iommu().bypassAfterReset(true));
        letter.writeBypass(1);
        assertEquals(0, letter.iommu().liveDomains());
        letter.dma(DISK);
        claimed(letter, DISK).close();
        assertIdentity(letter, DISK);
    }

    @Test
    @DisplayName("A claim is exclusive: none while the driver has attached the endpoint, nor while there is another")
    void shouldRefuseClaimWhenAttachedOrClaimed() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        assertTrue(machine.iommu().claim(DISK).isEmpty());
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.ok(Requests.detach(ONE, DISK));
        EndpointClaim claim = claimed(machine, DISK);
        assertTrue(machine.iommu().claim(DISK).isEmpty());
        claim.close();
        EndpointClaim next = claimed(machine, DISK);
        claim.close();
        assertFalse(claim.isHeld());
        assertTrue(next.isHeld(), "the former holder has nothing to give back");
        assertThrows(IllegalArgumentException.class, () -> machine.iommu().claim(NOBODY));
    }

    @Test
    @DisplayName("A claim takes the whole group, members that are plugged meanwhile included")
    void shouldClaimTheWholeGroup() {
        IommuMachine machine = start(iommu().endpoint(ALIAS).group(DISK, ALIAS, 0x101));
        machine.writeBypass(1);
        machine.ok(Requests.attach(ONE, ALIAS));
        machine.ok(Requests.detach(ONE, DISK));
        assertTrue(machine.iommu().claim(DISK).isEmpty(), "its alias is attached");
        machine.ok(Requests.detach(ONE, ALIAS));
        EndpointClaim claim = claimed(machine, ALIAS);
        machine.iommu().plug(0x101, ReservedRegions.NONE);
        for (int id : new int[] {DISK, ALIAS, 0x101}) {
            assertBlocked(machine, id);
            assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, id)));
            machine.ok(Requests.detach(ONE, id));
        }
        claim.close();
        machine.ok(Requests.attach(ONE, 0x101));
        assertEquals(1, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("A claim ends when the last of its endpoints is unplugged; a later one is not given back by it")
    void shouldEndClaimWhenUnplugged() {
        IommuMachine machine = start(iommu().endpoint(ALIAS).group(DISK, ALIAS));
        EndpointClaim claim = claimed(machine, DISK);
        machine.iommu().unplug(DISK);
        assertTrue(claim.isHeld());
        machine.iommu().unplug(ALIAS);
        assertFalse(claim.isHeld());
        machine.iommu().plug(DISK, ReservedRegions.NONE);
        EndpointClaim next = claimed(machine, DISK);
        claim.close();
        assertTrue(next.isHeld());
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, DISK)));
    }

    @Test
    @DisplayName("Claims that race with ATTACH: either wins, and what is claimed reaches nothing meanwhile")
    void shouldExcludeTheDriverWhileClaimed() throws InterruptedException {
        IommuMachine machine = start();
        machine.writeBypass(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicInteger claims = new AtomicInteger();
        Thread host = Thread.ofPlatform().uncaughtExceptionHandler((thread, thrown) -> failure.set(thrown))
                .start(() -> {
                    while (claims.get() < 300) {
                        claimAndLook(machine, claims);
                    }
                });
        int attached = 0;
        while (host.isAlive() || (attached == 0 && failure.get() == null)) {
            int status = machine.status(Requests.attachBypass(ONE, DISK));
            assertTrue(status == Spec.OK || status == Spec.UNSUPP);
            if (status == Spec.OK) {
                assertIdentity(machine, DISK);
                machine.ok(Requests.detach(ONE, DISK));
                attached++;
                Thread.sleep(0, 20_000);
            }
        }
        host.join();
        assertNull(failure.get());
    }

    private static void claimAndLook(IommuMachine machine, AtomicInteger claims) {
        machine.iommu().claim(DISK).ifPresent(claim -> {
            for (int i = 0; i < 10; i++) {
                assertBlocked(machine, DISK);
            }
            claim.close();
            claims.incrementAndGet();
        });
    }
}
