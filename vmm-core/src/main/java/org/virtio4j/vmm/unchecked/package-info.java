// SPDX-License-Identifier: Apache-2.0

/**
 * Memory by its address, with no check: for the mapping table of the IOMMU alone, whose module is the only one to see
 * it.
 */
@NullMarked
package org.virtio4j.vmm.unchecked;

import org.jspecify.annotations.NullMarked;
