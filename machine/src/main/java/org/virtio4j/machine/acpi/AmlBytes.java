// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.virtio4j.wire.acpi.Aml;

/** Objects of the ACPI Machine Language, written one after the other (ACPI 6.5, section 20.2). */
final class AmlBytes {

    private static final int BITS_IN_FIRST_BYTE = 4;
    private static final int LARGEST_LENGTH_OF_ONE_BYTE = 63;
    private static final int BITS_OF_COUNT = 6;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    byte[] bytes() {
        return out.toByteArray();
    }

    AmlBytes scope(String path, AmlBytes objects) {
        out.write(Aml.SCOPE);
        return block(letters(path), objects);
    }

    AmlBytes device(String name, AmlBytes objects) {
        out.write(Aml.EXTENDED);
        out.write(Aml.DEVICE);
        return block(letters(name), objects);
    }

    /** Begins an object with a name of 4 letters; its value follows. */
    AmlBytes name(String name) {
        out.write(Aml.NAME);
        out.writeBytes(letters(name));
        return this;
    }

    AmlBytes string(String text) {
        out.write(Aml.STRING);
        out.writeBytes(letters(text));
        out.write(0);
        return this;
    }

    /** A number that is not negative. */
    AmlBytes integer(int value) {
        if (value <= 1) {
            out.write(value == 0 ? Aml.ZERO : Aml.ONE);
        } else if (value <= 0xff) {
            out.write(Aml.BYTE);
            little(out, value, Byte.BYTES);
        } else if (value <= 0xffff) {
            out.write(Aml.WORD);
            little(out, value, Short.BYTES);
        } else {
            out.write(Aml.DOUBLE_WORD);
            little(out, value, Integer.BYTES);
        }
        return this;
    }

    AmlBytes buffer(byte[] content) {
        out.write(Aml.BUFFER);
        return block(new AmlBytes().integer(content.length).bytes(), content);
    }

    private AmlBytes block(byte[] head, AmlBytes objects) {
        return block(head, objects.bytes());
    }

    private AmlBytes block(byte[] head, byte[] content) {
        length(head.length + content.length);
        out.writeBytes(head);
        out.writeBytes(content);
        return this;
    }

    /**
     * The length of what follows and of itself (section 20.2.4). One byte holds up to 63. Otherwise the first byte has
     * the number of further bytes on top and the lowest 4 bits at the bottom.
     */
    private void length(int following) {
        if (following + 1 <= LARGEST_LENGTH_OF_ONE_BYTE) {
            out.write(following + 1);
            return;
        }
        int further = 1;
        while (following + 1 + further >= 1 << (BITS_IN_FIRST_BYTE + Byte.SIZE * further)) {
            further++;
        }
        int length = following + 1 + further;
        out.write((further << BITS_OF_COUNT) | (length & ((1 << BITS_IN_FIRST_BYTE) - 1)));
        little(out, length >>> BITS_IN_FIRST_BYTE, further);
    }

    /** Writes a number, its lowest byte first. */
    static void little(ByteArrayOutputStream to, long value, int width) {
        for (int i = 0; i < width; i++) {
            to.write((int) (value >>> (Byte.SIZE * i)));
        }
    }

    private static byte[] letters(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
