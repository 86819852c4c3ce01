// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/** Identifiers of device types (virtio 1.4, chapter 5), as the {@code DeviceID} register shows them. */
public final class DeviceType {
    /** Network device (section 5.1). */
    public static final int NETWORK = 1;
    /** Block device (section 5.2). */
    public static final int BLOCK = 2;
    /** Console device (section 5.3). */
    public static final int CONSOLE = 3;
    /** Entropy source (section 5.4). */
    public static final int ENTROPY = 4;
    /** IOMMU device (section 5.13). */
    public static final int IOMMU = 23;

    private DeviceType() {
    }
}
