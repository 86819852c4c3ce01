// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The forms that the value of a property takes (Devicetree Specification 0.4, section 2.2.4): cells, which are 32-bit
 * big-endian numbers, and strings that end with a zero byte. Which form a value has is known by the property's name
 * alone.
 */
public final class PropertyValue {

    /** The value of a property that only has to be there, such as {@code dma-coherent}. */
    private static final byte[] EMPTY = {};

    private PropertyValue() {
    }

    /**
     * The value of a property that says all by being there.
     *
     * @return no bytes
     */
    public static byte[] empty() {
        return EMPTY;
    }

    /**
     * A value of 32-bit numbers.
     *
     * @param cells unsigned numbers
     * @return the value
     */
    public static byte[] ofCells(int... cells) {
        ByteBuffer value = ByteBuffer.allocate(Math.multiplyExact(cells.length, Integer.BYTES));
        value.asIntBuffer().put(cells);
        return value.array();
    }

    /**
     * A value of 64-bit numbers. Each has two cells, the upper half first.
     *
     * @param numbers unsigned numbers
     * @return the value
     */
    public static byte[] ofLongs(long... numbers) {
        ByteBuffer value = ByteBuffer.allocate(Math.multiplyExact(numbers.length, Long.BYTES));
        value.asLongBuffer().put(numbers);
        return value.array();
    }

    /**
     * A value of strings, such as that of {@code compatible}.
     *
     * @param strings of printable ASCII
     * @return the value
     * @throws IllegalArgumentException if a string has other characters
     */
    public static byte[] ofStrings(String... strings) {
        StringBuilder text = new StringBuilder();
        for (String string : strings) {
            if (!string.chars().allMatch(PropertyValue::isPrintable)) {
                throw new IllegalArgumentException("string='" + string + "': must be printable ASCII");
            }
            text.append(string).append('\0');
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * The 32-bit numbers of a value.
     *
     * @param value of a property
     * @return its cells
     * @throws IllegalArgumentException if it does not consist of whole cells
     */
    public static int[] cells(byte[] value) {
        int[] cells = new int[whole(value, Integer.BYTES) / Integer.BYTES];
        ByteBuffer.wrap(value).asIntBuffer().get(cells);
        return cells;
    }

    /**
     * The 64-bit numbers of a value.
     *
     * @param value of a property
     * @return its pairs of cells
     * @throws IllegalArgumentException if it does not consist of whole pairs
     */
    public static long[] longs(byte[] value) {
        long[] numbers = new long[whole(value, Long.BYTES) / Long.BYTES];
        ByteBuffer.wrap(value).asLongBuffer().get(numbers);
        return numbers;
    }

    /**
     * The strings of a value. Bytes above 127 become characters of ISO 8859-1.
     *
     * @param value of a property
     * @return the strings without their zero bytes; none if the value is empty
     * @throws IllegalArgumentException if no zero byte ends the last string
     */
    public static List<String> strings(byte[] value) {
        if (value.length > 0 && value[value.length - 1] != 0) {
            throw new IllegalArgumentException("value of " + value.length + " bytes: must end with a zero byte");
        }
        List<String> strings = new ArrayList<>();
        int start = 0;
        for (int at = 0; at < value.length; at++) {
            if (value[at] == 0) {
                strings.add(new String(value, start, at - start, StandardCharsets.ISO_8859_1));
                start = at + 1;
            }
        }
        return strings;
    }

    static boolean isPrintable(int character) {
        return character >= ' ' && character <= '~';
    }

    private static int whole(byte[] value, int unit) {
        if (value.length % unit != 0) {
            throw new IllegalArgumentException(
                    "value of " + value.length + " bytes: must be a multiple of " + unit);
        }
        return value.length;
    }
}
