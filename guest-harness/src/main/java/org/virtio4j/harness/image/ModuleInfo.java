// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * What a kernel module says about itself: strings {@code name=value}, each with a NUL, in the section {@code .modinfo}
 * of the module's ELF file (64 bits).
 */
final class ModuleInfo {

    private static final String DEPENDS = "depends=";

    // Offsets in the ELF header.
    private static final int SECTION_HEADERS = 40;
    private static final int SECTION_HEADER_SIZE = 58;
    private static final int SECTION_COUNT = 60;
    private static final int NAMES_INDEX = 62;
    private static final int MINIMUM = 64;
    // Offsets in a section header.
    private static final int NAME = 0;
    private static final int OFFSET = 24;
    private static final int SIZE = 32;

    private static final byte[] MAGIC = {0x7f, 'E', 'L', 'F', 2};
    private static final int BYTE_ORDER = MAGIC.length;
    private static final int BIG_ENDIAN = 2;

    private ModuleInfo() {
    }

    /** The names of the modules that must be loaded before; {@code -} and {@code _} are the same character in them. */
    static List<String> dependencies(byte[] module) throws UnusableGuestException {
        return strings(module).filter(string -> string.startsWith(DEPENDS))
                .flatMap(string -> Stream.of(string.substring(DEPENDS.length()).split(",")))
                .filter(name -> !name.isEmpty()).toList();
    }

    private static Stream<String> strings(byte[] module) throws UnusableGuestException {
        ByteBuffer elf = ByteBuffer.wrap(module).order(ByteOrder.LITTLE_ENDIAN);
        if (module.length < MINIMUM || !elf.slice(0, MAGIC.length).equals(ByteBuffer.wrap(MAGIC))) {
            throw new UnusableGuestException("expected a 64-bit kernel module, found something else");
        }
        if (elf.get(BYTE_ORDER) == BIG_ENDIAN) {
            elf.order(ByteOrder.BIG_ENDIAN);
        }
        try {
            int names = section(elf, Short.toUnsignedInt(elf.getShort(NAMES_INDEX)));
            for (int i = 0; i < Short.toUnsignedInt(elf.getShort(SECTION_COUNT)); i++) {
                int header = section(elf, i);
                if (string(elf, offset(elf, names) + elf.getInt(header + NAME)).equals(".modinfo")) {
                    int size = Math.toIntExact(elf.getLong(header + SIZE));
                    return Stream.of(text(elf, offset(elf, header), size).split("\0"));
                }
            }
            return Stream.of();
        } catch (IndexOutOfBoundsException | ArithmeticException damaged) {
            throw new UnusableGuestException("expected a kernel module, found a damaged file");
        }
    }

    private static int section(ByteBuffer elf, int index) {
        return Math.toIntExact(elf.getLong(SECTION_HEADERS)) + index * elf.getShort(SECTION_HEADER_SIZE);
    }

    private static int offset(ByteBuffer elf, int header) {
        return Math.toIntExact(elf.getLong(header + OFFSET));
    }

    private static String string(ByteBuffer elf, int at) {
        int end = at;
        while (elf.get(end) != 0) {
            end++;
        }
        return text(elf, at, end - at);
    }

    private static String text(ByteBuffer elf, int at, int length) {
        return StandardCharsets.UTF_8.decode(elf.slice(at, length)).toString();
    }
}
