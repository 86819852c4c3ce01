// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

/** One item of a topology that an IOMMU's configuration describes: which devices are which of its endpoints. */
public sealed interface TopologyItem {

    /**
     * Functions of one PCI segment. Function {@code firstBdf + n} is endpoint {@code firstEndpoint + n}.
     *
     * @param segment       number of the segment, 0 to 0xffff
     * @param firstBdf      bus, device and function of the first one, 0 to 0xffff
     * @param lastBdf       the last one, inclusive, not below the first
     * @param firstEndpoint endpoint of the first one, unsigned; that of the last one fits into 32 bits
     */
    record PciFunctions(int segment, int firstBdf, int lastBdf, int firstEndpoint) implements TopologyItem {

        boolean has(int otherSegment, int bdf) {
            return segment == otherSegment && firstBdf <= bdf && bdf <= lastBdf;
        }

        int endpoint(int bdf) {
            return firstEndpoint + (bdf - firstBdf);
        }
    }

    /**
     * A device that is not on PCI.
     *
     * @param address  guest-physical address of the first byte of its registers
     * @param endpoint which endpoint it is, unsigned
     */
    record PlatformDevice(long address, int endpoint) implements TopologyItem {
    }
}
