// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Header of one property in the answer to a PROBE (virtio 1.4, section 5.13.6.7). The next property begins as many
 * bytes after the end of the header as the length says.
 *
 * <pre>
 *   byte 0                      2          4
 *        +----------------------+----------+-- ... --
 *        | type: 12, reserved 4 | length   | value
 *        +----------------------+----------+-- ... --
 * </pre>
 */
public final class ProbeProperty {
    /** Offset of the 2-byte type and reserved bits. */
    public static final long TYPE = 0;
    /** Offset of the 2-byte length in bytes of the value, which does not count the header. */
    public static final long LENGTH = 2;
    /** Bytes of the header. */
    public static final long HEADER_SIZE = 4;

    /** The bits of the field at {@link #TYPE} that are the type; the others are reserved and zero. */
    public static final int TYPE_MASK = 0xfff;
    /** An empty property: the list ends here. */
    public static final int TYPE_NONE = 0;
    /** A reserved range of I/O virtual addresses, see {@link ReservedMemoryProperty}. */
    public static final int TYPE_RESV_MEM = 1;

    private ProbeProperty() {
    }
}
