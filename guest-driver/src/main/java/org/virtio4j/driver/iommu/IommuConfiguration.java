// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.wire.iommu.IommuConfig;

/**
 * The configuration of a virtio-iommu (virtio 1.4, section 5.13.4), as read. Fields whose feature is not offered mean
 * nothing. Immutable.
 *
 * @param pageSizeMask sizes of mappings the device supports; the lowest bit is the granule, in bytes
 * @param inputStart   first I/O-virtual address that can be mapped, unsigned
 * @param inputEnd     last I/O-virtual address that can be mapped, inclusive, unsigned
 * @param domainStart  first domain number, unsigned
 * @param domainEnd    last domain number, inclusive, unsigned
 * @param probeSize    bytes of properties that a PROBE has room for, unsigned
 * @param bypass       1 if endpoints that are attached to nothing reach guest-physical memory, else 0
 */
public record IommuConfiguration(long pageSizeMask, long inputStart, long inputEnd, int domainStart, int domainEnd,
        int probeSize, int bypass) {

    /**
     * Reads all fields at one moment.
     *
     * @param transport the way to a virtio-iommu
     * @return the configuration, or null if it changed whenever it was read
     */
    public static @Nullable IommuConfiguration read(DriverTransport transport) {
        IommuConfiguration[] last = new IommuConfiguration[1];
        return transport.readConsistently(() -> last[0] = readOnce(transport)) ? last[0] : null;
    }

    private static IommuConfiguration readOnce(DriverTransport transport) {
        return new IommuConfiguration(
                transport.readConfig(IommuConfig.PAGE_SIZE_MASK, Long.BYTES),
                transport.readConfig(IommuConfig.INPUT_START, Long.BYTES),
                transport.readConfig(IommuConfig.INPUT_END, Long.BYTES),
                (int) transport.readConfig(IommuConfig.DOMAIN_START, Integer.BYTES),
                (int) transport.readConfig(IommuConfig.DOMAIN_END, Integer.BYTES),
                (int) transport.readConfig(IommuConfig.PROBE_SIZE, Integer.BYTES),
                (int) transport.readConfig(IommuConfig.BYPASS, Byte.BYTES));
    }
}
