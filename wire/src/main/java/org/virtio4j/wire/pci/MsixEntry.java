// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * One entry of the MSI-X table: the write that makes up one vector's interrupt (PCI Local Bus 3.0, section 6.8.2). The
 * guest accesses the table in aligned words of 4 or 8 bytes.
 *
 * <pre>
 *      byte 0           4             8      12               16
 *     +---------------+-------------+------+----------------+
 *     | address, low  | address, hi | data | vector control |
 *     +---------------+-------------+------+----------------+
 * </pre>
 */
public final class MsixEntry {
    /** Offset of the 8-byte address to write to, in two halves. */
    public static final long ADDRESS = 0;
    /** Offset of the 4 bytes to write. */
    public static final long DATA = 8;
    /** Offset of the 4-byte vector control: {@link #MASKED}, and nothing else. */
    public static final long VECTOR_CONTROL = 12;
    /** Bytes of an entry. */
    public static final long SIZE = 16;

    /** In vector control: no message is sent; one that is due becomes a pending bit. 1 after a reset. */
    public static final int MASKED = 1;

    private MsixEntry() {
    }
}
