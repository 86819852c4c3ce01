// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * How large the caches of this machine's first processor are, and what fits into which.
 *
 * @param level2      bytes of the second level
 * @param lastLevel   bytes of the last level, shared with other processors and, on a virtual machine, with strangers
 * @param measured    whether the system has said so; else these are common sizes
 */
public record Caches(long level2, long lastLevel, boolean measured) {

    private static final Path FOLDER = Path.of("/sys/devices/system/cpu/cpu0/cache");
    private static final Caches COMMON = new Caches(1 << 20, 32 << 20, false);
    private static final int MOST_CACHES = 8;

    static Caches ofThisMachine() {
        return read(FOLDER);
    }

    static Caches read(Path folder) {
        long level2 = 0;
        long last = 0;
        int lastLevel = 0;
        try {
            for (int i = 0; i < MOST_CACHES && Files.exists(folder.resolve("index" + i)); i++) {
                Path cache = folder.resolve("index" + i);
                int level = Integer.parseInt(line(cache, "level"));
                if (level >= 2 && !line(cache, "type").equals("Instruction")) {
                    long size = bytes(line(cache, "size"));
                    level2 = level == 2 ? size : level2;
                    last = level > lastLevel ? size : last;
                    lastLevel = Math.max(level, lastLevel);
                }
            }
        } catch (IOException | NumberFormatException unreadable) {
            return COMMON;
        }
        return level2 > 0 && last > 0 ? new Caches(level2, last, true) : COMMON;
    }

    /** Half of the second level: it fits with what else is in use. */
    public long insideLevel2() {
        return level2 / 2;
    }

    /** Eight times the second level, or half of the last if that is less. */
    public long insideLastLevel() {
        return Math.min(8 * level2, lastLevel / 2);
    }

    /** Four times the last level. */
    public long beyond() {
        return 4 * lastLevel;
    }

    /** Where so many bytes fit. */
    public String place(long bytes) {
        return bytes <= level2 ? "inside L2" : bytes <= lastLevel ? "inside the LLC" : "beyond the LLC";
    }

    String text() {
        return "L2 " + Quantity.bytes(level2) + ", last level " + Quantity.bytes(lastLevel)
                + (measured ? "" : " (assumed)");
    }

    private static String line(Path cache, String name) throws IOException {
        return Files.readString(cache.resolve(name)).strip();
    }

    private static long bytes(String size) {
        String text = size.toUpperCase(Locale.ROOT);
        int shift = text.endsWith("K") ? 10 : text.endsWith("M") ? 20 : 0;
        return Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1)) << shift;
    }
}
