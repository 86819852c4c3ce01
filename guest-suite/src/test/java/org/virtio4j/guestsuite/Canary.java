// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A part of the guest's RAM that Linux is told to leave alone, filled before the guest starts. Its addresses are the
 * only ones that the IOMMU takes for I/O virtual ones. So a DMA that ought to be translated and is not, at any time
 * from QEMU's start to its end, hits it.
 */
final class Canary {

    /** Beyond Linux, and below what QEMU and firmware put at the end of RAM. */
    static final long START = 0x1000_0000L;
    static final long BYTES = 64 << 20;
    static final long END = START + BYTES - 1;

    private static final int CHUNK = 1 << 20;

    private Canary() {
    }

    /** For the kernel's command line. */
    static String kernelOption() {
        return " memmap=" + (BYTES >> 20) + "M$0x" + Long.toHexString(START);
    }

    /** Makes the file that will be the guest's RAM. Below 2 GiB offsets in it are guest-physical addresses. */
    static void plant(Path memory, long bytes) throws IOException {
        try (FileChannel file = FileChannel.open(memory, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(1), bytes - 1);
            for (long at = START; at <= END; at += CHUNK) {
                ByteBuffer chunk = pattern(at);
                while (chunk.hasRemaining()) {
                    file.write(chunk, at + chunk.position());
                }
            }
        }
    }

    /** Where the first byte is that something has written to. */
    static Optional<Long> damage(Path memory) throws IOException {
        try (FileChannel file = FileChannel.open(memory)) {
            for (long at = START; at <= END; at += CHUNK) {
                ByteBuffer found = ByteBuffer.allocate(CHUNK);
                while (found.hasRemaining() && file.read(found, at + found.position()) > 0) {
                    // Again, until it is whole.
                }
                int first = pattern(at).mismatch(found.flip());
                if (first >= 0) {
                    return Optional.of(at + first);
                }
            }
        }
        return Optional.empty();
    }

    /** Each word says where it lies, lest bytes copied from one place to another look right. */
    private static ByteBuffer pattern(long start) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        for (int at = 0; at < CHUNK; at += Long.BYTES) {
            chunk.putLong(at, ~(start + at));
        }
        return chunk;
    }
}
