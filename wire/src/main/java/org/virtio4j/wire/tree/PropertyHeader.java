// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.tree;

/**
 * What follows the token {@link StructureToken#PROPERTY} (Devicetree Specification 0.4, section 5.4.1).
 *
 * <pre>
 *   byte 0              4             8
 *       +--------------+-------------+-------+
 *       | value length | name offset | value |
 *       +--------------+-------------+-------+
 * </pre>
 */
public final class PropertyHeader {
    /** Offset of the 4-byte number of bytes of the value, without the padding behind it. */
    public static final long LENGTH = 0;
    /** Offset of the 4-byte offset of the property's name in the strings block. */
    public static final long NAME_OFFSET = 4;
    /** Bytes before the value. */
    public static final long SIZE = 8;

    private PropertyHeader() {
    }
}
