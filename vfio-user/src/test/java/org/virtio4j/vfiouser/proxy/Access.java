// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser.proxy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Locale;
import org.virtio4j.wire.vfiouser.PciRegion;
import org.virtio4j.wire.vfiouser.RegionAccess;

/**
 * One access of registers, whose value is known.
 *
 * @param write  whether the client writes
 * @param region the number of a BAR, or that of configuration space
 * @param offset bytes from the region's start
 * @param data   as many bytes as are accessed, part of a message
 */
record Access(boolean write, int region, long offset, ByteBuffer data) {

    private static final int MOST_SHOWN = 32;

    /** The access in the body of a write, or of the answer to a read. */
    static Access in(boolean write, ByteBuffer body) {
        int at = (int) RegionAccess.DATA;
        ByteBuffer data = body.slice(at, body.capacity() - at).order(ByteOrder.LITTLE_ENDIAN);
        return new Access(write, body.getInt((int) RegionAccess.REGION), body.getLong((int) RegionAccess.OFFSET), data);
    }

    int width() {
        return data.capacity();
    }

    /** Whether it is of one register, and not of a stretch. */
    boolean hasValue() {
        return width() <= Long.BYTES;
    }

    long value() {
        long value = 0;
        for (int i = width() - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | (data.get(i) & 0xff);
        }
        return value;
    }

    void value(long value) {
        for (int i = 0; i < width(); i++) {
            data.put(i, (byte) (value >>> (i * Byte.SIZE)));
        }
    }

    /** Such as {@code bar4:0x14}, as changes name places too. */
    String place() {
        return String.format(Locale.ROOT, "%s:0x%02x", region(region), offset);
    }

    static String region(int region) {
        if (region == PciRegion.CONFIG) {
            return "config";
        }
        return region >= 0 && region <= PciRegion.LAST_BAR ? "bar" + region : "region" + region;
    }

    /** The value in as many digits as it has bytes, or the first bytes of a stretch. */
    String shown() {
        if (hasValue()) {
            return String.format(Locale.ROOT, "0x%0" + 2 * width() + "x", value());
        }
        byte[] first = new byte[Math.min(MOST_SHOWN, width())];
        data.get(0, first);
        return width() + " bytes " + HexFormat.of().formatHex(first) + (width() > MOST_SHOWN ? "..." : "");
    }
}
