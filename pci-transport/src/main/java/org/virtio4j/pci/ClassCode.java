// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.wire.DeviceType;

/**
 * What kind of function firmware and system tools take a device for (PCI Code and ID Assignment, section 1): base
 * class, subclass and programming interface, 8 bits each. Drivers of virtio do not look at it.
 */
final class ClassCode {

    private static final int OTHER = 0x00_ff_00;

    private ClassCode() {
    }

    static int of(int deviceType) {
        return switch (deviceType) {
            case DeviceType.NETWORK -> 0x02_00_00;
            case DeviceType.BLOCK -> 0x01_80_00;
            case DeviceType.CONSOLE -> 0x07_80_00;
            case DeviceType.IOMMU -> 0x08_06_00;
            default -> OTHER;
        };
    }
}
