// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The file by which all programs, whatever they are written in, get the same {@link Keys}.
 *
 * <pre>
 *     +-------+----------+----------+-------+----------------------------+---------+---------------------------------+
 *     | magic | mappings | look-ups | steps | first, last, physical  ... | address | kind, first, last, physical ... |
 *     +-------+----------+----------+-------+----------------------------+---------+---------------------------------+
 * </pre>
 *
 * <p>All are words of 64 bits, little-endian. The number of look-ups is a multiple of {@link #CHUNK}.
 */
public final class KeyFile {

    /** So many look-ups are timed together. */
    public static final int CHUNK = 1024;

    private static final long MAGIC = 0x3173_7965_3476_6f76L;
    private static final int HEAD = 4;
    private static final int WORDS_OF_MAPPING = 3;

    private KeyFile() {
    }

    public static void write(Keys keys, Path file) throws IOException {
        long words = HEAD + WORDS_OF_MAPPING * (long) keys.count() + keys.addresses().length + keys.steps().length;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            LongBuffer out = words(channel.map(MapMode.READ_WRITE, 0, words * Long.BYTES));
            out.put(MAGIC).put(keys.count()).put(keys.addresses().length).put(keys.stepCount());
            for (int i = 0; i < keys.count(); i++) {
                out.put(keys.first()[i]).put(keys.last()[i]).put(keys.physical()[i]);
            }
            out.put(keys.addresses()).put(keys.steps());
        }
    }

    public static Keys read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            LongBuffer in = words(channel.map(MapMode.READ_ONLY, 0, channel.size()));
            if (in.remaining() < HEAD || in.get() != MAGIC) {
                throw new IOException(file + ": expected a file of keys, found something else");
            }
            int count = (int) in.get();
            long[] addresses = new long[(int) in.get()];
            long[] steps = new long[Keys.WORDS_OF_STEP * (int) in.get()];
            Keys keys = new Keys(new long[count], new long[count], new long[count], addresses, steps);
            for (int i = 0; i < count; i++) {
                keys.first()[i] = in.get();
                keys.last()[i] = in.get();
                keys.physical()[i] = in.get();
            }
            in.get(addresses).get(steps);
            return keys;
        }
    }

    private static LongBuffer words(ByteBuffer bytes) {
        return bytes.order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    }
}
