// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * A report on the event queue that an access was refused (virtio 1.4, section 5.13.6.9).
 *
 * <pre>
 *   byte 0        1          4       8          12          16          24
 *        +--------+----------+-------+----------+-----------+-----------+
 *        | reason | reserved | flags | endpoint | reserved1 | address   |
 *        +--------+----------+-------+----------+-----------+-----------+
 * </pre>
 */
public final class FaultEvent {
    /** Offset of the one-byte reason. */
    public static final long REASON = 0;
    /** Offset of the 4-byte flags: an OR of {@link #FLAG_READ}, {@link #FLAG_WRITE} and {@link #FLAG_ADDRESS}. */
    public static final long FLAGS = 4;
    /** Offset of the 4-byte identifier of the endpoint whose access it was. */
    public static final long ENDPOINT = 8;
    /** Offset of the 8-byte I/O virtual address; only meaningful with {@link #FLAG_ADDRESS}. */
    public static final long ADDRESS = 16;
    /** Bytes of one report. */
    public static final long SIZE = 24;

    /** None of the other reasons. */
    public static final int REASON_UNKNOWN = 0;
    /** The endpoint is attached to no domain. */
    public static final int REASON_DOMAIN = 1;
    /** The address is not mapped, or not for this kind of access. */
    public static final int REASON_MAPPING = 2;
    /** The access was a read. */
    public static final int FLAG_READ = 1;
    /** The access was a write. */
    public static final int FLAG_WRITE = 2;
    /** The field at {@link #ADDRESS} is valid. */
    public static final int FLAG_ADDRESS = 0x100;

    private FaultEvent() {
    }
}
