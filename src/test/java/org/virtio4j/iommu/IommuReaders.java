// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.Objects;
import org.virtio4j.vmm.ReaderCount;

/** How many handles an IOMMU knows. */
public final class IommuReaders {

    private IommuReaders() {
    }

    /** Those that its grace periods wait for, interrupt messages among them. */
    public static int waitedFor(VirtioIommu iommu) {
        return ReaderCount.of(iommu.readers());
    }

    /** Those of an endpoint that remember translations. */
    public static int remembering(VirtioIommu iommu, int endpoint) {
        return ReaderCount.of(Objects.requireNonNull(iommu.translator(endpoint).caches()));
    }
}
