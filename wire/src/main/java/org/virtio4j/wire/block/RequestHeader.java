// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.block;

/**
 * First bytes of every request (virtio 1.4, section 5.2.6). Data follows that the device reads, if the type has such;
 * the status is the last byte the device may write, behind data that it writes.
 *
 * <pre>
 *   byte 0      4          8        16
 *        +------+----------+--------+------+--------+
 *        | type | reserved | sector | data | status |
 *        +------+----------+--------+------+--------+
 * </pre>
 */
public final class RequestHeader {
    /** Offset of the 4-byte type; see {@link RequestType}. */
    public static final long TYPE = 0;
    /** Offset of the 4 reserved bytes, which the device ignores. */
    public static final long RESERVED = 4;
    /** Offset of the 8-byte number of the first sector, for IN and OUT. */
    public static final long SECTOR = 8;
    /** Bytes of the header. */
    public static final long SIZE = 16;

    /** Bytes of the status; see {@link RequestStatus}. */
    public static final long STATUS_SIZE = 1;
    /** Bytes of the data of a GET_ID request: the device's name, in ASCII, filled up with zeros. */
    public static final long ID_SIZE = 20;

    private RequestHeader() {
    }
}
