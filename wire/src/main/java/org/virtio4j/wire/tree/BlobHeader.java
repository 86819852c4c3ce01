// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.tree;

/**
 * Beginning of a flattened device tree (Devicetree Specification 0.4, section 5.2). All fields have 4 bytes; offsets in
 * them count from the beginning of the header.
 *
 * <pre>
 *       byte 0              4                  8                   12
 *    0 +------------------+------------------+-------------------+---------------------+
 *      | magic            | total size       | structure offset  | strings offset      |
 *   16 +------------------+------------------+-------------------+---------------------+
 *      | reservations     | version          | last compatible   | boot CPU            |
 *      | offset           |                  | version           |                     |
 *   32 +------------------+------------------+-------------------+---------------------+
 *      | strings size     | structure size   |
 *   40 +------------------+------------------+
 * </pre>
 */
public final class BlobHeader {
    /** Offset of {@link #MAGIC_NUMBER}. */
    public static final long MAGIC = 0;
    /** Offset of the size of header and blocks, free space between and behind them included. */
    public static final long TOTAL_SIZE = 4;
    /** Offset of the offset of the structure block, a multiple of {@link #STRUCTURE_ALIGNMENT}. */
    public static final long STRUCTURE_OFFSET = 8;
    /** Offset of the offset of the strings block, which has no alignment. */
    public static final long STRINGS_OFFSET = 12;
    /** Offset of the offset of the memory reservations, a multiple of {@link #RESERVATIONS_ALIGNMENT}. */
    public static final long RESERVATIONS_OFFSET = 16;
    /** Offset of the version of the format that the blob has. */
    public static final long VERSION = 20;
    /** Offset of the lowest version with which the blob is compatible. */
    public static final long LAST_COMPATIBLE_VERSION = 24;
    /** Offset of the physical ID of the CPU that boots. */
    public static final long BOOT_CPU = 28;
    /** Offset of the size of the strings block. */
    public static final long STRINGS_SIZE = 32;
    /** Offset of the size of the structure block. Version 16 does not have this field. */
    public static final long STRUCTURE_SIZE = 36;
    /** Bytes of the header of version 17. */
    public static final long SIZE = 40;
    /** Bytes of the header of version 16, which ends before {@link #STRUCTURE_SIZE}. */
    public static final long SIZE_16 = 36;

    /** The first four bytes of every blob. */
    public static final int MAGIC_NUMBER = 0xd00dfeed;
    /** The version that the specification describes. */
    public static final int VERSION_17 = 17;
    /** The oldest version with the same structure block, with which version 17 is compatible. */
    public static final int VERSION_16 = 16;

    /** Alignment of the structure block and of each token in it. */
    public static final long STRUCTURE_ALIGNMENT = 4;
    /** Alignment of the memory reservations. */
    public static final long RESERVATIONS_ALIGNMENT = 8;

    private BlobHeader() {
    }
}
