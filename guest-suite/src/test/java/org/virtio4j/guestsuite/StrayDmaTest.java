// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
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
 * Endpoints access what nobody has mapped for them: the entropy source writes, the disk reads. There is RAM at the same
 * physical addresses.
 */
@GuestScenario
class StrayDmaTest {

    private static final String WRITE = "page fault from EP 56 at 0x10ead000 [W]";
    private static final String READ = "page fault from EP 96 at 0x10bee000 [R]";

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    @DisplayName("5.13.6.9: a fault is reported with endpoint, address and access, and memory is as it was")
    void shouldReportStrayDma() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.WITH_CANARY);
        Booted booted = guest.boot(Workload.FAULT, 2, Translation.LAZY, Memory.FILE, maker);
        assertReported(booted, maker.devices());
        assertEquals(2, maker.devices().iommu().counters().reportedFaults());
        assertEquals(0, maker.devices().iommu().counters().lostFaults());
    }

    /** Without the IOMMU before it the write arrives, and Linux hears of the disk alone, which came after. */
    @Test
    void shouldFailWithoutTranslation() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.WITH_CANARY.with(Mistake.NOT_TRANSLATED));
        Booted booted = guest.boot(Workload.FAULT, 2, Translation.LAZY, Memory.FILE, maker);
        assertThrows(AssertionError.class, () -> assertReported(booted, maker.devices()));
        booted.assertDone();
        assertEquals(List.of(READ), booted.faults());
        assertEquals(DmaResult.OK, maker.devices().strayWrite());
        assertEquals(Optional.of(SuiteDevices.STRAY_WRITE), maker.devices().damage());
    }

    private static void assertReported(Booted booted, SuiteDevices devices) {
        booted.assertDone();
        assertEquals(List.of(WRITE, READ), booted.faults());
        assertEquals(DmaResult.FAULT, devices.strayWrite());
        assertEquals(DmaResult.FAULT, devices.strayRead());
        devices.assertNothingLeft();
    }
}
