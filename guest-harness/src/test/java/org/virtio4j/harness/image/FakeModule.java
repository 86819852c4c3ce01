// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A kernel module with nothing in it but what it says about itself. */
final class FakeModule {

    private static final String NAMES = "\0.shstrtab\0.modinfo\0";

    private FakeModule() {
    }

    /** A module that needs others, named with commas between them. */
    static byte[] needing(String others) {
        return needing(others, ByteOrder.LITTLE_ENDIAN);
    }

    /** The same for a machine with this order of bytes. */
    static byte[] needing(String others, ByteOrder order) {
        byte[] info = ("license=GPL\0depends=" + others + "\0name=fake\0").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer elf = ByteBuffer.allocate(64 + NAMES.length() + info.length + 3 * 64)
                .order(order);
        byte encoding = (byte) (order.equals(ByteOrder.LITTLE_ENDIAN) ? 1 : 2);
        int names = 64;
        int strings = names + NAMES.length();
        int sections = strings + info.length;
        elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, encoding, 1});
        elf.putLong(40, sections).putShort(58, (short) 64).putShort(60, (short) 3).putShort(62, (short) 1);
        elf.put(names, NAMES.getBytes(StandardCharsets.US_ASCII));
        elf.put(strings, info);
        elf.putInt(sections + 64, 1).putLong(sections + 64 + 24, names).putLong(sections + 64 + 32, NAMES.length());
        elf.putInt(sections + 128, 11).putLong(sections + 128 + 24, strings)
                .putLong(sections + 128 + 32, info.length);
        return elf.array();
    }
}
