// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#DMA_MAP}. The reply has none. The descriptor of the memory, if it has one, travels with the
 * message.
 *
 * <pre>
 *      byte 0         4                8
 *   0 +-------------+----------------+-------------------------------+
 *     | argsz       | flags          | offset in the descriptor      |
 *  16 +-------------+----------------+-------------------------------+
 *     | guest-physical address       | size                          |
 *  32 +------------------------------+-------------------------------+
 * </pre>
 */
public final class DmaMap {
    /** Offset of the 4-byte size of this body. */
    public static final long ARGSZ = 0;
    /** Offset of the 4-byte flags. */
    public static final long FLAGS = 4;
    /** Offset of the 8-byte place of the first byte in what the descriptor means. */
    public static final long OFFSET = 8;
    /** Offset of the 8-byte guest-physical address of the first byte. */
    public static final long ADDRESS = 16;
    /** Offset of the 8-byte number of bytes. */
    public static final long LENGTH = 24;
    /** Bytes of the body. */
    public static final long SIZE = 32;

    /** The device may read. */
    public static final int READABLE = 1;
    /** The device may write. */
    public static final int WRITABLE = 2;

    private DmaMap() {
    }
}
