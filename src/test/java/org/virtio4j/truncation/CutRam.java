// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.vmm.GuestMemory;

/**
 * RAM in which everything that one queue uses lies in a file of its own, to be cut short apart from the rest. While
 * something is cut, the guest's side must not look at it.
 */
final class CutRam {

    /** What can be cut. */
    enum Part {
        DESCRIPTORS(0x1000), AVAILABLE(0x1000), USED(0x1000), TABLES(0x4000), BUFFERS(0x40_0000);

        private final long size;

        Part(long size) {
            this.size = size;
        }

        long size() {
            return size;
        }
    }

    /** Entries of the queue. */
    static final int ENTRIES = 64;

    private final Path folder;
    private final GuestRam ram;

    /** Adds all parts to a guest's memory, from an address on. */
    CutRam(GuestMemory memory, Path folder, long start) {
        this.folder = folder;
        long at = start;
        for (Part part : Part.values()) {
            length(part, part.size);
            try {
                memory.addFile(at, file(part), 0, part.size);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
            at += part.size;
        }
        ram = new GuestRam(memory, start, at - start);
    }

    /** The queue; the parts follow each other as they do here. */
    QueueMemory queue() {
        return QueueMemory.pageAligned(ram, ENTRIES);
    }

    /** What comes after the queue; nothing of it is touched. */
    GuestBuffer take(Part part) {
        return ram.view(ram.allocate(part.size, GuestMemory.PAGE_SIZE), part.size);
    }

    /** Leaves so many bytes of a part. */
    void cut(Part part, long left) {
        length(part, left);
    }

    /** Gives all of it back, though zeroed. */
    void restore(Part part) {
        length(part, part.size);
    }

    private void length(Part part, long bytes) {
        try (RandomAccessFile file = new RandomAccessFile(file(part).toFile(), "rw")) {
            file.setLength(bytes);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private Path file(Part part) {
        return folder.resolve(part + ".ram");
    }
}
