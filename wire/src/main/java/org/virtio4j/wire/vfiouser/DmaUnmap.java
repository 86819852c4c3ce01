// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#DMA_UNMAP} and of its reply.
 *
 * <pre>
 *      byte 0         4                8                               16             24
 *     +-------------+----------------+-------------------------------+--------------+
 *     | argsz       | flags          | guest-physical address        | size         |
 *     +-------------+----------------+-------------------------------+--------------+
 * </pre>
 */
public final class DmaUnmap {
    /** Offset of the 4-byte size of this body, or of the reply with a bitmap. */
    public static final long ARGSZ = 0;
    /** Offset of the 4-byte flags. */
    public static final long FLAGS = 4;
    /** Offset of the 8-byte guest-physical address of the first byte; 0 with {@link #ALL}. */
    public static final long ADDRESS = 8;
    /** Offset of the 8-byte number of bytes; 0 with {@link #ALL}. */
    public static final long LENGTH = 16;
    /** Bytes of the body. */
    public static final long SIZE = 24;

    /** The reply shall say which pages the device wrote; in old versions of the protocol. */
    public static final int DIRTY_BITMAP = 1;
    /** All windows. */
    public static final int ALL = 2;

    private DmaUnmap() {
    }
}
