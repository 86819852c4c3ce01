// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

/** What a test takes away to see that it was good for something. */
enum Mistake {
    /** Nothing. */
    NONE,
    /** DMA of the entropy source does not go through the IOMMU. */
    NOT_TRANSLATED,
    /** The entropy source may write where it may read. */
    NO_PERMISSIONS,
    /** At a system reset the IOMMU forgets its domains before the endpoints have come to rest. */
    IOMMU_RESET_FIRST,
    /** At a system reset nobody waits for what the entropy source has in flight. */
    RESET_NOT_AWAITED
}
