// SPDX-License-Identifier: Apache-2.0
/**
 * A virtio-iommu device (virtio 1.4, section 5.13), as its embedder meets it: {@link org.virtio4j.iommu.VirtioIommu} is
 * the device, {@link org.virtio4j.iommu.VirtioIommuBuilder} sets it up. A hypervisor puts it behind a transport, and
 * gives each device behind it a DMA space with {@link org.virtio4j.iommu.VirtioIommu#translator}.
 *
 * <p>{@link org.virtio4j.iommu.embedder} has what goes in and comes out besides: listeners, reserved regions, counters.
 * The other packages are the rooms of the device, each of which knows only those before it: {@code table} (what a
 * domain maps where), {@code observe} (observers and counters), {@code fault} (the event queue), {@code domain} (what
 * endpoints are attached to), {@code request} (the request queue).
 *
 * <p>A kick takes the control lock, reads a batch of requests, checks and applies them to domains and their mapping
 * tables, waits until no device uses what was taken away, and publishes the answers. Devices translate meanwhile,
 * without a lock: an endpoint's attachment is one word, and a mapping table can be read while it changes. What a device
 * may not do is reported on the event queue, after its section and under no other lock.
 *
 * <p>Endpoints come and go while the guest runs: {@link org.virtio4j.iommu.VirtioIommu#plug} and {@link
 * org.virtio4j.iommu.VirtioIommu#unplug}, after which no byte of the endpoint's devices lands. Several ids may stand
 * for one device and are attached together; an {@link org.virtio4j.iommu.EndpointClaim} keeps an endpoint for the host.
 *
 * <p>Locks are taken in this order: the life cycle's, the control lock of the IOMMU, the turn of the event queue.
 */
@NullMarked
package org.virtio4j.iommu;

import org.jspecify.annotations.NullMarked;
