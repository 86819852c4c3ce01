// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.vmm.Access;

/** Section 5.13.5, device initialisation, and what a reset leaves. */
class InitialisationTest extends IommuTests {

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.5 rule 7: after a reset no endpoint is attached and no domain is left")
    void shouldDetachAllWhenReset(ResetKind kind) {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.ok(Requests.map(TWO, 0x1000, 0x2fff, 0x8000));
        reset(machine, kind);
        assertBlocked(machine, DISK);
        assertBlocked(machine, NIC);
        assertEquals(0, machine.iommu().liveMappings());
        assertEquals(0, machine.iommu().liveDomains());
        machine.start();
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, DISK)));
        assertEquals(Spec.NOENT, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)));
        // The number is free for a domain of the other kind, which has nothing of the old one.
        machine.ok(Requests.attachBypass(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        assertUnmapped(machine, NIC, 0x1000);
    }

    @Test
    @DisplayName("5.13.5 rule 7: bypass takes effect before there is a driver, and with one that does not accept it")
    void shouldBypassWhenDriverDoesNotAcceptTheFeature() {
        IommuMachine machine = powerOn(iommu().bootBypass(true));
        assertIdentity(machine, DISK);
        machine.start(FeatureSet.of(32));
        assertIdentity(machine, DISK);
        machine.ok(Requests.attach(ONE, DISK));
        assertUnmapped(machine, DISK, 0x1234);
        assertIdentity(machine, NIC);
        machine.ok(Requests.detach(ONE, DISK));
        assertIdentity(machine, DISK);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("5.13.5, choice: an endpoint that was attached stays blocked after a reset although bypass is 1")
    void shouldBlockWhatWasAttachedWhenReset(ResetKind kind) {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.dma(DISK);
        reset(machine, kind);
        assertBlocked(machine, DISK);
        assertIdentity(machine, NIC);
        reset(machine, kind);
        assertBlocked(machine, DISK);
        machine.start();
        assertBlocked(machine, DISK);
        machine.ok(Requests.attach(ONE, DISK));
        assertUnmapped(machine, DISK, 0x1000);
        machine.ok(Requests.detach(ONE, DISK));
        assertIdentity(machine, DISK);
    }

    @Test
    @DisplayName("5.13.5, choice: a blocked endpoint is free again when its own device was reset")
    void shouldUnblockWhenEndpointIsReset() {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attachBypass(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        machine.dma(DISK);
        machine.dma(NIC);
        machine.resetDevice();
        assertBlocked(machine, DISK);
        machine.iommu().endpointReset(DISK);
        assertIdentity(machine, DISK);
        assertBlocked(machine, NIC);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("5.13.5, choice: an endpoint whose device is not at work has nothing on its way, and is not blocked")
    void shouldNotBlockWhatIsNotAtWork(ResetKind kind) {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        reset(machine, kind);
        assertIdentity(machine, DISK);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("5.13.5, choice: a blocked endpoint is free when the last way to memory of its device is closed")
    void shouldUnblockWhenItsDeviceComesToRest(ResetKind kind) {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        DmaSpace space = DmaSpace.of(machine.memory(), machine.iommu().translator(DISK));
        DmaHandle first = space.open("disk, queue 0");
        DmaHandle second = space.open("disk, queue 1");
        reset(machine, kind);
        first.close();
        assertEquals(TranslateResult.NO_DOMAIN, translate(second));
        second.close();
        DmaHandle next = space.open("disk, queue 0");
        assertEquals(TranslateResult.OK, translate(next));
        next.close();
    }

    private static TranslateResult translate(DmaHandle handle) {
        handle.enter();
        try {
            return handle.translate(0x1234, Access.READ, (virtStart, virtEnd, physStart, permitted) -> { });
        } finally {
            handle.leave();
        }
    }

    @Test
    @DisplayName("5.13.5, choice: the reset of an endpoint's device leaves its attachment alone")
    void shouldStayAttachedWhenEndpointIsReset() {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.iommu().endpointReset(DISK);
        assertUnmapped(machine, DISK, 0x1000);
    }

    @Test
    @DisplayName("5.13.5, choice: the letter of the section can be had, bypass then counts at once")
    void shouldBypassAfterResetWhenAsked() {
        IommuMachine machine = start(iommu().bootBypass(true).bypassAfterReset(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.resetDevice();
        assertIdentity(machine, DISK);
    }

    @Test
    @DisplayName("5.13.5, choice: a reset of the machine, whose devices are at rest by then, blocks nobody")
    void shouldBlockNobodyWhenSystemIsReset() {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        machine.resetDevice();
        machine.reset(ResetKind.SYSTEM);
        assertIdentity(machine, DISK);
        assertIdentity(machine, NIC);
    }

    @Test
    @DisplayName("5.13.5, choice: a device that is marked FAILED goes on translating")
    void shouldGoOnTranslatingWhenDriverGivesUp() {
        IommuMachine machine = start(iommu().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.driver().fail();
        assertMapped(machine, DISK, 0x1abc, 0x8abc);
        assertUnmapped(machine, DISK, 0x2000);
    }

    private static void reset(IommuMachine machine, ResetKind kind) {
        if (kind == ResetKind.DEVICE) {
            machine.resetDevice();
        } else {
            machine.reset(kind);
        }
    }
}
