// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

/**
 * Where a device that is not on PCI lies: the window of a virtio-mmio device, or the first registers of another one.
 *
 * @param address guest-physical address of the first byte, unsigned
 */
public record MmioBase(long address) implements Location {

    /** The address in hexadecimal digits. */
    @Override
    public String toString() {
        return "0x" + Long.toHexString(address);
    }
}
