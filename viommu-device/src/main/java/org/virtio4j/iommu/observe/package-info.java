// SPDX-License-Identifier: Apache-2.0
/**
 * Tells observers what the device does, and counts it. The other rooms call in here, under the locks they hold; nothing
 * here calls back into them, and nothing leaves but calls of the embedder's listeners.
 *
 * <p>{@link org.virtio4j.iommu.observe.IommuListeners} is all {@link org.virtio4j.iommu.embedder.IommuListener}s as one
 * that does not throw: an exception ends one call of one listener and is counted. {@link
 * org.virtio4j.iommu.observe.IommuTally} keeps the counters. Its writers hold the control lock or a turn of the event
 * queue, so no counter has two writers at a time; readers need no lock.
 *
 * <p>Without a listener, a request costs one look at the length of an array.
 */
@NullMarked
package org.virtio4j.iommu.observe;

import org.jspecify.annotations.NullMarked;
