// SPDX-License-Identifier: Apache-2.0
/**
 * What the embedder of an IOMMU and the rooms of the device both name. Nothing here does any work: two interfaces for
 * the embedder to implement, and values and views that the device shows.
 *
 * <p>Two kinds of listener, which differ in one point. A {@link org.virtio4j.iommu.embedder.MappingListener} is asked
 * before a mapping or an attachment is made and can refuse; what it throws is a refusal, and comes out of the call that
 * served. An
 * {@link org.virtio4j.iommu.embedder.IommuListener} is told afterwards and can change nothing; what it throws is
 * counted in {@link org.virtio4j.iommu.embedder.IommuCounters}. Each method says under which lock it is called.
 *
 * <p>{@link org.virtio4j.iommu.embedder.ReservedRegions} go in with the builder and come out again in the answer to a
 * PROBE; {@link org.virtio4j.iommu.embedder.ServedRequest} is a request slot as a listener sees it.
 * {@link org.virtio4j.iommu.embedder.IommuCapabilities} says what the device can do for an endpoint.
 */
@NullMarked
package org.virtio4j.iommu.embedder;

import org.jspecify.annotations.NullMarked;
