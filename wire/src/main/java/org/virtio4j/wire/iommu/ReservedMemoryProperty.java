// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * The property RESV_MEM, header included (virtio 1.4, section 5.13.6.8.1): I/O virtual addresses that a driver must not
 * map.
 *
 * <pre>
 *   byte 0        4         5          8         16        24
 *        +--------+---------+----------+---------+---------+
 *        | header | subtype | reserved | start   | end     |
 *        +--------+---------+----------+---------+---------+
 * </pre>
 */
public final class ReservedMemoryProperty {
    /** Offset of the one-byte subtype. */
    public static final long SUBTYPE = 4;
    /** Offset of the 8-byte first I/O virtual address. */
    public static final long START = 8;
    /** Offset of the 8-byte last I/O virtual address, inclusive. */
    public static final long END = 16;
    /** Bytes of the property, its {@link ProbeProperty} header included. */
    public static final long SIZE = 24;
    /** What the header's length field holds: {@link #SIZE} without the header. */
    public static final long LENGTH = 20;

    /** The range is kept by the platform. */
    public static final int SUBTYPE_RESERVED = 0;
    /** The range is a doorbell of message-signalled interrupts: writes go there untranslated. */
    public static final int SUBTYPE_MSI = 1;

    private ReservedMemoryProperty() {
    }
}
