// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * The capability that says where a function's table of interrupt messages lies (PCI Local Bus 3.0, section 6.8.2).
 *
 * <pre>
 *      byte 0    1      2                3
 *   0 +--------+------+------------------------------------------+
 *     | 0x11   | next | message control                          |
 *   4 +--------+------+-----------------------------------+------+
 *     | table offset, a multiple of 8                     | BAR  |
 *   8 +---------------------------------------------------+------+
 *     | offset of the pending bit array, a multiple of 8  | BAR  |
 *  12 +---------------------------------------------------+------+
 *
 *   message control:  15 ENABLE | 14 FUNCTION_MASK | 13 .. 11 - | 10 .. 0 number of entries, less 1
 * </pre>
 */
public final class MsixCapability {
    /** Offset of the 2-byte message control. */
    public static final long MESSAGE_CONTROL = 2;
    /** Offset of the 4-byte place of the table. */
    public static final long TABLE = 4;
    /** Offset of the 4-byte place of the pending bit array. */
    public static final long PENDING_BITS = 8;
    /** Bytes of the capability. */
    public static final long SIZE = 12;

    /** In message control: the function interrupts by messages, and not by its pin. */
    public static final int ENABLE = 1 << 15;
    /** In message control: all vectors are masked, whatever their own mask says. */
    public static final int FUNCTION_MASK = 1 << 14;
    /** In message control: the number of table entries less 1; read-only. */
    public static final int LAST_ENTRY_MASK = 0x7ff;
    /** In the places: the number of the BAR; the rest is the offset in it. */
    public static final int BAR_MASK = 0x7;
    /** The most entries a table can have. */
    public static final int MAX_ENTRIES = 0x800;

    private MsixCapability() {
    }
}
