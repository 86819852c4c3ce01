// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What Linux tells about a block device in {@code /sys}, without opening it and without a native call. */
public final class BlockDeviceInfo {

    private static final Path DEVICES = Path.of("/sys/dev/block");

    private BlockDeviceInfo() {
    }

    /**
     * The smallest part of the device that can be written at once.
     *
     * @param device a path to a block device
     * @return bytes, a power of two; 0 where {@code /sys} does not tell
     * @throws IOException if there is no such device
     */
    public static int logicalBlockSize(Path device) throws IOException {
        return number(device, "queue/logical_block_size");
    }

    /**
     * Whether the device refuses to be written, which on Linux shows at the first write only.
     *
     * @param device a path to a block device
     * @return false also where {@code /sys} does not tell
     * @throws IOException if there is no such device
     */
    public static boolean isReadOnly(Path device) throws IOException {
        return number(device, "ro") == 1;
    }

    /** A partition has no queue of its own; it lies in the folder of its disk, which has one. */
    private static int number(Path device, String name) throws IOException {
        long number = (long) Files.getAttribute(device, "unix:rdev");
        Path link = DEVICES.resolve(major(number) + ":" + minor(number));
        if (!Files.exists(link)) {
            return 0;
        }
        Path own = link.toRealPath().resolve(name);
        Path file = Files.exists(own) ? own : link.toRealPath().resolveSibling(name);
        return Files.exists(file) ? Integer.parseInt(Files.readString(file).strip()) : 0;
    }

    private static long major(long number) {
        return ((number >>> 8) & 0xfff) | ((number >>> 32) & ~0xfffL);
    }

    private static long minor(long number) {
        return (number & 0xff) | ((number >>> 12) & 0xffff_ff00L);
    }
}
