// SPDX-License-Identifier: Apache-2.0
/**
 * A virtio-iommu device (virtio 1.4, section 5.13).
 *
 * <p>{@link org.virtio4j.iommu.VirtioIommu} is the device, {@link org.virtio4j.iommu.VirtioIommuBuilder} sets it up
 * with endpoints, {@link org.virtio4j.iommu.ReservedRegions} and limits. A hypervisor puts it behind a transport, and
 * gives each device behind it a DMA space with {@link org.virtio4j.iommu.VirtioIommu#translator}.
 *
 * <p>A kick takes the control lock, reads a batch of requests, checks and applies them to domains and their mapping
 * tables, waits until no device uses what was taken away, and publishes the answers. Devices translate meanwhile,
 * without a lock: an endpoint's attachment is one word, and a mapping table can be read while it changes. What a device
 * may not do is reported on the event queue, after its section and under no other lock.
 *
 * <p>{@link org.virtio4j.iommu.MappingListener} mirrors mappings elsewhere, and can refuse them. {@link
 * org.virtio4j.iommu.IommuListener} sees all that a driver does, and cannot.
 */
@NullMarked
package org.virtio4j.iommu;

import org.jspecify.annotations.NullMarked;
