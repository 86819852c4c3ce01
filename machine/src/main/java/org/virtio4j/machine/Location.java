// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

/** Where a device or an IOMMU lies in the guest: what the guest finds it by, and so what a topology names it by. */
public sealed interface Location permits PciAddress, MmioBase {
}
