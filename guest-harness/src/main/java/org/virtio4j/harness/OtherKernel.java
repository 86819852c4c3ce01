// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.nio.file.Path;
import org.virtio4j.harness.fetch.Kernel;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/** Debian's kernels for PCs beside the one that guests have by default. */
public enum OtherKernel {
    /** The newest one of the backports. */
    NEWEST("kernel-newest"),
    /** Debian 12's, without a driver for a virtio-iommu. */
    LINUX_6_1("kernel-6.1"),
    /**
     * Debian 11's, without a driver for a virtio-iommu. It leaves its devices at work when it starts another kernel.
     */
    LINUX_5_10("kernel-5.10");

    private final String part;

    OtherKernel(String part) {
        this.part = part;
    }

    /**
     * Fetches it if it is missing.
     *
     * @param home the project's folder, where the script is that fetches
     * @return the file to boot, with its modules beside it; see {@link GuestOptions#kernel}
     * @throws NotFetchedException if it is not there and cannot be fetched
     * @throws UnusableGuestException if what is there is no kernel
     */
    public Path image(Path home) throws NotFetchedException, UnusableGuestException {
        return Kernel.unpackedIn(new Packages(home, () -> false).part(part)).image();
    }
}
