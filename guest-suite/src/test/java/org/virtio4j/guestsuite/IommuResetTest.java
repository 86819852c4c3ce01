// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * The IOMMU is taken away from under its driver while the disk is read: what was mapped is gone, and the endpoints
 * go on.
 */
@GuestScenario
class IommuResetTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    @DisplayName("An endpoint that was attached does not get at physical addresses by a reset of the IOMMU alone")
    void shouldBlockEndpoints() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices devices = boot(Wiring.WITH_CANARY);
        assertEquals(DmaResult.FAULT, devices.strayWrite());
        assertEquals(DmaResult.FAULT, devices.strayRead());
        assertTrue(devices.iommu().counters().lostFaults() >= 2, "who has no driver cannot report");
        devices.assertNothingLeft();
    }

    /** To the letter of section 5.13.6.3.2, with which the bypass byte decides after a reset. */
    @Test
    void shouldFailWithBypassAfterReset() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices devices = boot(Wiring.WITH_CANARY.withBypassAfterReset());
        assertEquals(DmaResult.OK, devices.strayWrite());
        assertEquals(DmaResult.OK, devices.strayRead());
        assertThrows(AssertionError.class, devices::assertNothingLeft);
        assertNotEquals(Optional.empty(), devices.damage());
    }

    private SuiteDevices boot(Wiring wiring) throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(wiring);
        guest.when("virtio4j: step resetting", () -> assertEquals(2, maker.devices().iommu().liveDomains()));
        guest.when("virtio4j: ready flr", () -> {
            assertEquals(0, maker.devices().iommu().liveDomains());
            assertEquals(0, maker.devices().iommu().liveMappings());
            maker.devices().strayDma();
            guest.end();
        });
        Booted booted = guest.boot(Workload.FLR, 2, Translation.STRICT, Memory.FILE, maker);
        assertEquals(Optional.of("interrupted"), booted.result().trouble());
        return maker.devices();
    }
}
