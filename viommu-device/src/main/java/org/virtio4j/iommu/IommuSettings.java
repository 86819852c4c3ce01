// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.device.Features;

/** What a {@link VirtioIommuBuilder} was told, checked; ends are inclusive. */
record IommuSettings(Features features, long pageSizeMask, long inputStart, long inputEnd, int domainStart,
        int domainEnd, int probeSize, boolean bootBypass, boolean bypassAfterReset, int requestQueueSize,
        int eventQueueSize, long maxMappings, long stallLimitNanos, long lingerNanos,
        boolean polled) {

    /** The smallest page that can be mapped, in bytes: the lowest bit of the mask (section 5.13.6). */
    long granule() {
        return Long.lowestOneBit(pageSizeMask);
    }

    boolean inInputRange(long virtStart, long virtEnd) {
        return Long.compareUnsigned(virtStart, inputStart) >= 0 && Long.compareUnsigned(virtEnd, inputEnd) <= 0;
    }

    boolean inDomainRange(int domain) {
        return Integer.compareUnsigned(domain, domainStart) >= 0 && Integer.compareUnsigned(domain, domainEnd) <= 0;
    }
}
