// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

/**
 * A device that is not on PCI and is an endpoint of an IOMMU.
 *
 * @param base     where the device lies
 * @param endpoint how requests name it, unsigned
 */
public record MmioEndpoint(MmioBase base, int endpoint) {

    /**
     * An endpoint by the address of its device.
     *
     * @param address  guest-physical address of the device's first byte, unsigned
     * @param endpoint how requests name it, unsigned
     */
    public MmioEndpoint(long address, int endpoint) {
        this(new MmioBase(address), endpoint);
    }

    /** Such as {@code 0xa000200 as endpoint 0x10000}. */
    @Override
    public String toString() {
        return base + " as endpoint 0x" + Integer.toHexString(endpoint);
    }
}
