// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the constant pool of a class file names (JVMS 4.4).
 *
 * @param types the top-level types, in instructions, descriptors, signatures and annotations
 * @param calls the methods, as {@code package.Owner.method}
 */
record ClassFile(Set<String> types, Set<String> calls) {

    private static final int MAGIC = 0xcafebabe;
    private static final Pattern DESCRIPTOR = Pattern.compile("L((?:[a-z]\\w*/)+\\w+)");

    static ClassFile read(InputStream in) throws IOException {
        DataInputStream data = new DataInputStream(in);
        if (data.readInt() != MAGIC) {
            throw new IOException("not a class file");
        }
        data.readInt(); // the version
        Pool pool = new Pool(data.readUnsignedShort());
        for (int i = 1; i < pool.tags.length; i += pool.read(i, data)) {
            // The pool counts on by itself: some constants take two places.
        }
        return pool.named();
    }

    /** The constants, each with at most two references to others. */
    private static final class Pool {

        private static final int UTF8 = 1;
        private static final int LONG = 5;
        private static final int DOUBLE = 6;
        private static final int CLASS = 7;
        private static final int METHOD = 10;
        private static final int INTERFACE_METHOD = 11;
        private static final int METHOD_HANDLE = 15;

        private final int[] tags;
        private final int[] first;
        private final int[] second;
        private final List<String> texts = new ArrayList<>();

        Pool(int count) {
            tags = new int[count];
            first = new int[count];
            second = new int[count];
        }

        /** Reads one constant. Returns how many places it takes. */
        int read(int index, DataInputStream data) throws IOException {
            tags[index] = data.readUnsignedByte();
            switch (tags[index]) {
                case UTF8 -> {
                    first[index] = texts.size();
                    texts.add(data.readUTF());
                }
                case LONG, DOUBLE -> data.readLong();
                case METHOD_HANDLE -> data.skipNBytes(3);
                case CLASS, 8, 16, 19, 20 -> first[index] = data.readUnsignedShort();
                case 3, 4, 9, METHOD, INTERFACE_METHOD, 12, 17, 18 -> {
                    first[index] = data.readUnsignedShort();
                    second[index] = data.readUnsignedShort();
                }
                default -> throw new IOException("constant " + index + " has the unknown tag " + tags[index]);
            }
            return tags[index] == LONG || tags[index] == DOUBLE ? 2 : 1;
        }

        ClassFile named() {
            Set<String> types = new TreeSet<>();
            Set<String> calls = new TreeSet<>();
            for (int i = 1; i < tags.length; i++) {
                if (tags[i] == CLASS && !text(first[i]).startsWith("[")) {
                    types.add(topLevel(text(first[i])));
                } else if (tags[i] == METHOD || tags[i] == INTERFACE_METHOD) {
                    String owner = text(first[first[i]]);
                    calls.add(owner.replace('/', '.') + "." + text(first[second[i]]));
                }
            }
            for (String text : texts) {
                Matcher matcher = DESCRIPTOR.matcher(text);
                while (matcher.find()) {
                    types.add(topLevel(matcher.group(1)));
                }
            }
            return new ClassFile(types, calls);
        }

        private String text(int index) {
            return texts.get(first[index]);
        }

        private static String topLevel(String internalName) {
            int nested = internalName.indexOf('$');
            return (nested < 0 ? internalName : internalName.substring(0, nested)).replace('/', '.');
        }
    }
}
