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
    /** At a system reset nobody waits for what the entropy source has in flight, and the IOMMU blocks nobody. */
    NOT_AWAITED_NOR_BLOCKED
}
