// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/**
 * One entry of the descriptor table of a split virtqueue (virtio 1.4, section 2.7.5); an indirect table
 * (section 2.7.5.3) is an array of the same entries.
 *
 * <pre>
 *   byte 0                              8           12      14      16
 *        +------------------------------+-----------+-------+-------+
 *        | addr                         | len       | flags | next  |
 *        +------------------------------+-----------+-------+-------+
 * </pre>
 */
public final class SplitDescriptor {
    /** Offset of the 8-byte address of the buffer's first byte, as the device sees memory. */
    public static final long ADDR = 0;
    /** Offset of the 4-byte unsigned length of the buffer, in bytes. */
    public static final long LEN = 8;
    /** Offset of the 2-byte flags: an OR of {@link #FLAG_NEXT}, {@link #FLAG_WRITE} and {@link #FLAG_INDIRECT}. */
    public static final long FLAGS = 12;
    /** Offset of the 2-byte index of the descriptor that follows; only meaningful with {@link #FLAG_NEXT}. */
    public static final long NEXT = 14;
    /** Bytes that one descriptor takes; a table of n descriptors takes n times as much. */
    public static final long SIZE = 16;
    /** Alignment in bytes that the driver gives a descriptor table; an indirect table has none. */
    public static final long ALIGNMENT = 16;

    /** The chain goes on at the descriptor named by the field at {@link #NEXT}. */
    public static final int FLAG_NEXT = 1;
    /** The buffer is for the device to write; without it the device only reads. */
    public static final int FLAG_WRITE = 2;
    /** The buffer holds a table of descriptors; needs the feature {@link FeatureBit#INDIRECT_DESC}. */
    public static final int FLAG_INDIRECT = 4;

    private SplitDescriptor() {
    }
}
