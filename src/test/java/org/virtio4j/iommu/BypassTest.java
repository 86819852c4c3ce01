// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaHandle;

/** Section 5.13.6, bypass mode. */
class BypassTest extends IommuTests {

    @Test
    @DisplayName("5.13.6 rule 12: an endpoint that is attached to nothing and not in bypass reaches nothing")
    void shouldReachNothingWhenUnattachedWithoutBypass() {
        assertBlocked(powerOn(iommu()), DISK);
        IommuMachine machine = start();
        assertBlocked(machine, DISK);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertBlocked(machine, NIC);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("5.13.6 rule 12: without BYPASS_CONFIG there is no bypass, whatever the builder said of the boot")
    void shouldReachNothingWhenFeatureIsNotOffered() {
        VirtioIommuBuilder builder = iommu().bootBypass(true).without(Spec.F_BYPASS_CONFIG);
        assertBlocked(powerOn(builder), DISK);
        assertBlocked(start(builder), DISK);
    }

    @Test
    @DisplayName("5.13.6 rule 13: in bypass every access is allowed and every address means itself")
    void shouldTranslateByIdentityWhenInBypass() {
        IommuMachine machine = start();
        machine.writeBypass(1);
        assertIdentity(machine, DISK);
        machine.fill(0x100_0000, 64, 0x5a);
        DmaHandle handle = machine.dma(DISK);
        handle.enter();
        Dma.assertReads(handle, 0x100_0000, 64, 0x5a);
        handle.leave();
        machine.writeBypass(0);
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("5.13.6 rule 13: the bypass byte says nothing of endpoints that are attached")
    void shouldNotCareForBypassWhenAttached() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.writeBypass(1);
        assertUnmapped(machine, DISK, 0x1000);
        machine.ok(Requests.attachBypass(TWO, NIC));
        machine.writeBypass(0);
        assertIdentity(machine, NIC);
        assertUnmapped(machine, DISK, 0x1000);
    }

    @Test
    @DisplayName("5.13.6 rule 13: an endpoint of a bypass domain is in bypass")
    void shouldTranslateByIdentityWhenAttachedToBypassDomain() {
        IommuMachine machine = start();
        machine.ok(Requests.attachBypass(ONE, DISK));
        machine.ok(Requests.attachBypass(ONE, NIC));
        assertIdentity(machine, DISK);
        assertIdentity(machine, NIC);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        assertIdentity(machine, NIC);
        assertEquals(1, machine.iommu().liveDomains());
    }
}
