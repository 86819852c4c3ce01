// SPDX-License-Identifier: Apache-2.0
/**
 * What endpoints are attached to, and what their addresses mean just now.
 *
 * <p>Two kinds of caller come in. The holder of the control lock changes things: through {@link
 * org.virtio4j.iommu.domain.Attachments}, plug, unplug, attach, detach, claim; through {@link
 * org.virtio4j.iommu.domain.Domains}, map, unmap, and the grace period that must pass before any of it counts as done.
 * Devices look addresses up through {@link org.virtio4j.iommu.domain.EndpointTranslator}, on any thread and without a
 * lock: endpoint, its domain (one word), the table of that domain. What leaves is an extent, or a fault for {@code
 * org.virtio4j.iommu.fault}.
 *
 * <p>Endpoints come and go, and keep their objects from the first to the last: an endpoint that was unplugged has a
 * state of its own for good, and one that is plugged with the same id is another object.
 *
 * <p>A change that takes something away has this order. First, readers cannot find it any more (a word of the {@link
 * org.virtio4j.iommu.domain.Endpoint} or of the table is stored). Second, {@link
 * org.virtio4j.iommu.domain.Invalidation} makes the caches of the devices forget it, and moves the generation, so that
 * rings notice. Third, the grace period. Fourth, the answer becomes visible.
 *
 * <p>{@link org.virtio4j.iommu.domain.MappingListeners} are asked before anything is added: a MAP, an ATTACH, and the
 * replay to a listener that joins are made by all or by none. What is taken away cannot be refused. Listeners hear of
 * it between the first step and the third; one that keeps it is expelled, and its endpoints are blocked within the same
 * grace period.
 *
 * <p>Nothing that readers load lies beside what a change stores: the attachment and the table are read where they are,
 * and the count of invalidations has a cache line to itself.
 */
@NullMarked
package org.virtio4j.iommu.domain;

import org.jspecify.annotations.NullMarked;
