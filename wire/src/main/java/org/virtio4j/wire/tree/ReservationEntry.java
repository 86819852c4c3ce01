// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.tree;

/**
 * One memory reservation of a flattened device tree (Devicetree Specification 0.4, section 5.3). An entry whose address
 * and length are 0 ends the list.
 *
 * <pre>
 *   byte 0         8        16
 *       +---------+--------+
 *       | address | length |
 *       +---------+--------+
 * </pre>
 */
public final class ReservationEntry {
    /** Offset of the 8-byte physical address. */
    public static final long ADDRESS = 0;
    /** Offset of the 8-byte number of bytes. */
    public static final long LENGTH = 8;
    /** Bytes of the entry. */
    public static final long SIZE = 16;

    private ReservationEntry() {
    }
}
