// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * What every message begins with, request and reply alike. An error reply is a header alone.
 *
 * <pre>
 *      byte 0            2             4
 *   0 +----------------+-------------+--------------------------------+
 *     | message id     | command     | size of header and body        |
 *   8 +----------------+-------------+--------------------------------+
 *     | flags                        | error                          |
 *  16 +------------------------------+--------------------------------+
 *
 *   flags:  5 ERROR | 4 NO_REPLY | 3 .. 0 type
 * </pre>
 */
public final class MessageHeader {
    /** Offset of the 2-byte identifier that the requester chose; its reply has the same. */
    public static final long ID = 0;
    /** Offset of the 2-byte {@link Command}. */
    public static final long COMMAND = 2;
    /** Offset of the 4-byte number of bytes of the whole message. */
    public static final long MESSAGE_SIZE = 4;
    /** Offset of the 4-byte flags: a type, and an OR of {@link #NO_REPLY} and {@link #ERROR}. */
    public static final long FLAGS = 8;
    /** Offset of the 4-byte errno; only meaningful with {@link #ERROR}. */
    public static final long ERRNO = 12;
    /** Bytes of the header. */
    public static final long SIZE = 16;

    /** The bits of the flags that hold the type. */
    public static final int TYPE_MASK = 0xf;
    /** Type of a request. */
    public static final int TYPE_COMMAND = 0;
    /** Type of a reply. */
    public static final int TYPE_REPLY = 1;
    /** The requester wants no reply, not even of an error. */
    public static final int NO_REPLY = 0x10;
    /** The request failed. */
    public static final int ERROR = 0x20;

    private MessageHeader() {
    }
}
