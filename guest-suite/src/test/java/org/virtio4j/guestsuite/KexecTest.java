// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.harness.OtherKernel.LINUX_5_10;
import static org.virtio4j.harness.OtherKernel.LINUX_6_1;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.OtherKernel;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * A kernel starts another one while both its disks are at work. No machine is reset and nobody tells the devices, until
 * the next kernel's drivers reset them. That kernel fills its memory before it loads its drivers: not a byte of it may
 * change. Then the disks must work.
 */
@GuestScenario
class KexecTest {

    /** Debian's, with a driver for the IOMMU. */
    private static final @Nullable OtherKernel LINUX_6_12 = null;

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    @FullSuite
    void shouldServeTheSameKernelOnceMore() throws IOException, NotFetchedException, UnusableGuestException {
        assertGoesOn(Workload.KEXEC, LINUX_6_12, LINUX_6_12);
    }

    /** Linux's virtio core resets the IOMMU though it has no driver for it; what was attached must get free somehow. */
    @Test
    @FullSuite
    @DisplayName("After kexec, an endpoint of an IOMMU that was reset is free when it is reset itself")
    void shouldServeKernelWithoutDriverForTheIommu()
            throws IOException, NotFetchedException, UnusableGuestException {
        assertGoesOn(Workload.KEXEC, LINUX_6_12, LINUX_6_1);
    }

    /** This kernel only clears bus mastering, and the next one sets it before it resets the devices. */
    @Test
    @DisplayName("Devices left at work touch no memory when they get bus mastering back, before a driver tells them to")
    void shouldLeaveMemoryAloneThatHasANewOwner() throws IOException, NotFetchedException, UnusableGuestException {
        assertGoesOn(Workload.KEXEC, LINUX_5_10, LINUX_6_1);
    }

    @Test
    @FullSuite
    void shouldServeCrashKernel() throws IOException, NotFetchedException, UnusableGuestException {
        assertGoesOn(Workload.CRASH, LINUX_6_12, LINUX_6_12);
    }

    @Test
    @DisplayName("In a crash kernel, an endpoint of an IOMMU that was reset is free when it is reset itself")
    void shouldServeCrashKernelWithoutDriverForTheIommu()
            throws IOException, NotFetchedException, UnusableGuestException {
        assertGoesOn(Workload.CRASH, LINUX_6_12, LINUX_6_1);
    }

    private void assertGoesOn(Workload workload, @Nullable OtherKernel first, @Nullable OtherKernel next)
            throws IOException, NotFetchedException, UnusableGuestException {
        TwoDisks.Maker maker = new TwoDisks.Maker();
        // The next kernel's drivers are loaded last.
        guest.when("virtio4j: step loading drivers", () -> maker.devices().beginCounting());
        guest.when("virtio4j: step comparing", () -> maker.devices().endCounting());
        Booted booted = guest.bootNext(workload, first, next, maker);
        booted.assertDone();
        assertTrue(Integer.parseInt(booted.fact("next/guarded")) > 0, "no memory was watched");
        maker.devices().assertServed(booted);
        maker.devices().assertLittleCounted();
    }
}
