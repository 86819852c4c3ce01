// SPDX-License-Identifier: Apache-2.0
/**
 * Devices of the host that a guest gets, behind its virtio-iommu. The host's IOMMU translates their DMA, with the
 * mappings that the guest has made. VFIO of Linux, with an IOMMU of type 1; native access is needed.
 *
 * p>A {@link org.virtio4j.vfiohost.VfioContainer} is one address space of the host's IOMMU. It opens {@link
 * org.virtio4j.vfiohost.VfioDevice devices}, each with its {@link org.virtio4j.vfiohost.VfioGroup group}, and says
 * which pages and which addresses can be mapped. A {@link org.virtio4j.vfiohost.VfioMirror} stands for the endpoints
 * of one container, or of several that always have the same mappings. It is joined to the IOMMU, and turns
 * guest-physical addresses into memory of this process.
 *
 * <p>Endpoints that are to be attached to different domains need containers and mirrors of their own. Devices of one
 * group cannot be in different containers, so a guest must be told that their endpoints are one group as well.
 *
 * <p>An end has this order: {@code VirtioIommu.leave}, {@link org.virtio4j.vfiohost.VfioMirror#close}, {@link
 * org.virtio4j.vfiohost.VfioContainer#close}, and guest memory last.
 *
 * <p>{@code HostIommu} is what a mirror needs of a container. Tests have another one, which fails on demand.
 */
@NullMarked
package org.virtio4j.vfiohost;

import org.jspecify.annotations.NullMarked;
