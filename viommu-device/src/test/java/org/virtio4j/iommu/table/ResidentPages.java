// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** Asks the system which pages of a segment it has memory for. */
final class ResidentPages {

    private static final Path PAGEMAP = Path.of("/proc/self/pagemap");
    private static final long PAGE = 4096;
    private static final int ENTRY = Long.BYTES;
    private static final int PRESENT = 0x80;

    private ResidentPages() {
    }

    /** Bytes that are there; the test is aborted where the system does not say. */
    static long bytes(MemorySegment segment) {
        assumeTrue(Files.isReadable(PAGEMAP), "no " + PAGEMAP);
        byte[] entries = new byte[Math.toIntExact(segment.byteSize() / PAGE * ENTRY)];
        try (RandomAccessFile pagemap = new RandomAccessFile(PAGEMAP.toFile(), "r")) {
            pagemap.seek(segment.address() / PAGE * ENTRY);
            pagemap.readFully(entries);
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
        long pages = 0;
        for (int last = ENTRY - 1; last < entries.length; last += ENTRY) {
            pages += (entries[last] & PRESENT) != 0 ? 1 : 0;
        }
        return pages * PAGE;
    }
}
