// SPDX-License-Identifier: Apache-2.0
/**
 * Serves the request queue, under the control lock (virtio 1.4, section 5.13.6).
 *
 * <p>A batch of chains enters through {@link org.virtio4j.iommu.request.RequestQueue}, which the one serving loop of
 * {@code org.virtio4j.device} calls. In one section {@link org.virtio4j.iommu.request.RequestReader} reads each request
 * once into its slot, a {@link org.virtio4j.iommu.request.Request}. Outside of any section {@link
 * org.virtio4j.iommu.request.RequestExecutor} checks it and changes the domains. In a second section {@link
 * org.virtio4j.iommu.request.ReplyWriter} writes the answers. Then observers are told, one grace period passes if
 * anything was taken away, and the answers become visible. Nothing of this allocates. MAPs of
 * one domain that mapping listeners are to be asked about are collected in a {@link
 * org.virtio4j.iommu.request.MapGroup} and announced together.
 *
 * <p>{@link org.virtio4j.iommu.request.Doorbells} notices mappings that would lose interrupts. It says so after the
 * kick, under no lock, and is the only part that does anything outside of the control lock.
 */
@NullMarked
package org.virtio4j.iommu.request;

import org.jspecify.annotations.NullMarked;
