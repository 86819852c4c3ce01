// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Configuration space of the IOMMU device (virtio 1.4, section 5.13.4). Only {@link #BYPASS} is writable. A device
 * that describes its topology has another layout from there on, see {@link TopologyConfig}.
 *
 * <pre>
 *      byte 0                    4        5                  8
 *    0 +-----------------------------------------------------+
 *      | page_size_mask                                      |
 *    8 +-----------------------------------------------------+
 *      | input_range.start                                   |
 *   16 +-----------------------------------------------------+
 *      | input_range.end                                     |
 *   24 +-------------------------+---------------------------+
 *      | domain_range.start      | domain_range.end          |
 *   32 +-------------------------+--------+------------------+
 *      | probe_size              | bypass | reserved         |
 *   40 +-------------------------+--------+------------------+
 * </pre>
 */
public final class IommuConfig {
    /** Offset of the 8-byte mask of page sizes in bytes; its lowest bit is the granule. */
    public static final long PAGE_SIZE_MASK = 0;
    /** Offset of the 8-byte lowest I/O virtual address that can be mapped; needs {@link IommuFeature#INPUT_RANGE}. */
    public static final long INPUT_START = 8;
    /** Offset of the 8-byte highest I/O virtual address that can be mapped, inclusive. */
    public static final long INPUT_END = 16;
    /** Offset of the 4-byte lowest domain number; needs {@link IommuFeature#DOMAIN_RANGE}. */
    public static final long DOMAIN_START = 24;
    /** Offset of the 4-byte highest domain number, inclusive. */
    public static final long DOMAIN_END = 28;
    /** Offset of the 4-byte size in bytes of a PROBE's properties; needs {@link IommuFeature#PROBE}. */
    public static final long PROBE_SIZE = 32;
    /** Offset of the byte that is 1 while unattached endpoints bypass; needs {@link IommuFeature#BYPASS_CONFIG}. */
    public static final long BYPASS = 36;
    /** Bytes of the whole structure, three reserved ones at its end included. */
    public static final long SIZE = 40;

    private IommuConfig() {
    }
}
