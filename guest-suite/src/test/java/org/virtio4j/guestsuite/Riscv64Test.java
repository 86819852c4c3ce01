// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.Interrupts;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/** Linux on riscv64, which cannot be built with a driver of the IOMMU: bypass lets its devices through. */
@GuestScenario
class Riscv64Test {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @ParameterizedTest
    @CsvSource({"IMSIC, PCI-MSIX", "PLIC, SiFive PLIC"})
    @FullSuite
    void shouldVerifyWithoutTranslation(Interrupts interrupts, String way)
            throws IOException, NotFetchedException, UnusableGuestException {
        Platform platform = Platform.of(Architecture.RISCV64).withInterrupts(interrupts);
        Booted booted = guest.bootAsShipped(platform, 2, Workload.VERIFY, Translation.LAZY, false);
        booted.assertDone();
        assertEquals("", booted.fact("pci/0000:00:0a.0/group"));
        assertEquals(booted.fact("verify/written"), booted.fact("verify/cached"));
        String told = booted.fact("interrupts/0000:00:0a.0");
        assertTrue(told.matches(way + " [1-9]\\d*"), told);
        assertTrue(booted.result().devices().contains("faults: 0 reported, 0 lost"),
                booted.result().devices().toString());
    }
}
