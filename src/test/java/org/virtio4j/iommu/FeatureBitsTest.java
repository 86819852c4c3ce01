// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.FeatureSet;

/** Section 5.13.3, feature bits. */
class FeatureBitsTest extends IommuTests {

    private static final long OWN_BITS = 0xff_ffffL;

    @Test
    @DisplayName("5.13.3 rule 1: MAP_UNMAP is offered")
    void shouldOfferMapUnmap() {
        assertTrue(powerOn(iommu()).offered().has(Spec.F_MAP_UNMAP));
        assertTrue(powerOn(VirtioIommu.builder()).offered().has(Spec.F_MAP_UNMAP));
    }

    @Test
    @DisplayName("5.13.3 rule 2: legacy BYPASS is never offered, so never together with BYPASS_CONFIG")
    void shouldNotOfferLegacyBypass() {
        assertFalse(powerOn(iommu()).offered().has(Spec.F_BYPASS));
        assertFalse(powerOn(iommu().bootBypass(true)).offered().has(Spec.F_BYPASS));
        assertFalse(powerOn(iommu().without(Spec.F_BYPASS_CONFIG)).offered().has(Spec.F_BYPASS));
        assertFalse(powerOn(iommu().without(Spec.F_BYPASS)).offered().has(Spec.F_BYPASS));
    }

    @Test
    @DisplayName("5.13.3: six of the seven bits are offered, and no other of the device type")
    void shouldOfferSixBits() {
        long bits = powerOn(iommu()).offered().low() & OWN_BITS;
        assertEquals(0b111_0111, bits);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 4, 5, 6})
    @DisplayName("5.13.3, choice: each feature can be left out")
    void shouldNotOfferWhatIsLeftOut(int bit) {
        long bits = powerOn(iommu().without(bit)).offered().low() & OWN_BITS;
        assertEquals(0b111_0111 & ~(1 << bit), bits);
    }

    @Test
    @DisplayName("5.13.3, choice: a driver that accepts nothing but VERSION_1 is served")
    void shouldServeDriverThatAcceptsNoFeatureOfTheDevice() {
        IommuMachine machine = powerOn(iommu()).start(FeatureSet.of(32));
        machine.ok(Requests.attach(ONE, DISK));
        assertUnmapped(machine, DISK, 0x1000);
        machine.ok(Requests.detach(ONE, DISK));
    }
}
