// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

/** What a device's addresses are. */
public enum SpaceKind {
    /** Guest-physical: no IOMMU stands before the device. */
    IDENTITY,
    /** I/O-virtual: the device is an endpoint of the IOMMU. */
    ENDPOINT
}
