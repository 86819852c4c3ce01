// SPDX-License-Identifier: Apache-2.0
/**
 * VFIO of Linux: devices and their host IOMMU in the hands of a program. Request numbers and structures are those of
 * {@code linux/vfio.h}, and stand nowhere else. {@code ContainerFile} is a container with an IOMMU of type 1, {@code
 * GroupFile} a group, and {@code DeviceFile} a device of a group. {@code IommuInfo} is what a container says of its
 * IOMMU.
 *
 * <p>Structures are in the byte order of the host. A call that is part of a guest's request returns its error number;
 * the others throw it by name.
 */
@NullMarked
package org.virtio4j.os.vfio;

import org.jspecify.annotations.NullMarked;
