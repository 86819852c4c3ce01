// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.wire.iommu.RequestType;

/**
 * The machine is reset while four writers write to the disk and a DMA of the entropy source is in flight. Whatever
 * arrives after the IOMMU has dropped its domains would go to physical addresses.
 */
@GuestScenario
class SystemResetTest {

    private static final String DRIVERS = "virtio4j: step loading drivers";

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    private final AtomicInteger boots = new AtomicInteger();

    @Test
    void shouldLetNoDmaHitMemoryAndKeepTheDisk() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.WITH_CANARY);
        guest.when(DRIVERS, boots::incrementAndGet);
        Booted booted = guest.boot(Workload.RESET, 2, Translation.STRICT, Memory.FILE, maker);
        booted.assertDone();
        assertEquals(2, boots.get());
        assertEquals(32, booted.fact("reset/written").length());
        assertEquals(booted.fact("reset/written"), booted.fact("reset/found"));
        assertEquals(4, maker.devices().iommu().counters().requests(RequestType.PROBE));
        assertTrue(maker.devices().arrivals() > 0, "no DMA was in flight");
        maker.devices().assertNothingLeft();
    }

    /** Ends as soon as the guest has come back from the reset. */
    @Test
    void shouldFailIfNobodyIsBlocked() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.WITH_CANARY.with(Mistake.NOT_AWAITED_NOR_BLOCKED));
        guest.when(DRIVERS, () -> {
            if (boots.incrementAndGet() == 2) {
                guest.end();
            }
        });
        Booted booted = guest.boot(Workload.RESET, 2, Translation.STRICT, Memory.FILE, maker);
        assertEquals(2, boots.get(), booted.result().trouble().toString());
        assertThrows(AssertionError.class, maker.devices()::assertNothingLeft);
        assertTrue(maker.devices().arrivals() > 0, "no DMA was in flight");
        assertEquals(Optional.of(SuiteDevices.IN_FLIGHT), maker.devices().damage());
    }
}
