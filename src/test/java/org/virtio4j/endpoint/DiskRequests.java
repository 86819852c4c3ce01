// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The device-readable parts of disk requests, byte by byte as virtio 1.4, section 5.2.6 lays them out. */
final class DiskRequests {

    static final int IN = 0;
    static final int OUT = 1;
    static final int FLUSH = 4;
    static final int GET_ID = 8;
    static final int DISCARD = 11;
    static final int WRITE_ZEROES = 13;

    static final int S_OK = 0;
    static final int S_IOERR = 1;
    static final int S_UNSUPP = 2;

    static final int HEADER = 16;
    static final int SECTOR = 512;
    static final int UNMAP = 1;

    // Feature bits of section 5.2.3, and what section 6 says besides.
    static final int F_SEG_MAX = 2;
    static final int F_RO = 5;
    static final int F_BLK_SIZE = 6;
    static final int F_FLUSH = 9;
    static final int F_CONFIG_WCE = 11;
    static final int F_MQ = 12;
    static final int F_DISCARD = 13;
    static final int F_WRITE_ZEROES = 14;

    /** One range of sectors. */
    record Range(long sector, int count, int flags) {
    }

    private DiskRequests() {
    }

    static byte[] header(int type, long sector) {
        return request(0, type, sector);
    }

    static byte[] in(long sector) {
        return header(IN, sector);
    }

    static byte[] out(long sector, byte[] data) {
        byte[] request = request(data.length, OUT, sector);
        System.arraycopy(data, 0, request, HEADER, data.length);
        return request;
    }

    static byte[] flush() {
        return header(FLUSH, 0);
    }

    static byte[] ranges(int type, Range... ranges) {
        byte[] request = request(16 * ranges.length, type, 0);
        ByteBuffer data = littleEndian(request).position(HEADER);
        for (Range range : ranges) {
            data.putLong(range.sector).putInt(range.count).putInt(range.flags);
        }
        return request;
    }

    /** A request whose data is still to be filled in. */
    private static byte[] request(int dataLength, int type, long sector) {
        byte[] request = new byte[HEADER + dataLength];
        littleEndian(request).putInt(type).putInt(0).putLong(sector);
        return request;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
