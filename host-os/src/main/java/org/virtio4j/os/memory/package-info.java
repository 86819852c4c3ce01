// SPDX-License-Identifier: Apache-2.0
/**
 * Memory that is mapped ({@code NativeMemory}): anonymous, or shared by another process through a descriptor. Pages are
 * committed when they are touched, and can be given back.
 *
 * <p>{@code AllMemory} is all memory of the process by its address, with no check. Only the mapping table of the IOMMU
 * may use it, whose addresses come from its own arithmetic on memory that it keeps mapped.
 */
@NullMarked
package org.virtio4j.os.memory;

import org.jspecify.annotations.NullMarked;
