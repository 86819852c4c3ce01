// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.virtio4j.vmm.os.NativeMemory;

/**
 * A stretch of the host's memory that costs nothing until it is touched, and goes back when closed.
 *
 * <p>Anonymous memory comes from {@code mmap} without reserve where this module may call native code
 * ({@code --enable-native-access=org.virtio4j.vmm}), else from a sparse temporary file that is deleted at once.
 * {@link Arena#allocate} would write zeros to all of it first: 4.1 s for 2 GiB, measured on the machine of the first
 * benchmarks.
 */
public final class HostMemory implements AutoCloseable {

    /** What is smaller is soon touched all over, and finds room in the processor's memory of pages. */
    private static final long HUGE_BYTES = 16L << 20;

    private final Arena arena;
    private final MemorySegment segment;

    private HostMemory(Arena arena, MemorySegment segment) {
        this.arena = arena;
        this.segment = segment;
    }

    /**
     * Private memory, all zero.
     *
     * @param size bytes, more than 0
     * @return the memory, page-aligned
     * @throws IllegalArgumentException if {@code size} is not more than 0
     * @throws OutOfMemoryError if the operating system refuses, with its reason
     */
    public static HostMemory anonymous(long size) {
        checkSize(size);
        Arena arena = Arena.ofShared();
        try {
            return new HostMemory(arena,
                    NativeMemory.available() ? NativeMemory.mapAnonymous(size, arena) : sparse(size, arena));
        } catch (OutOfMemoryError | RuntimeException refused) {
            arena.close();
            throw refused;
        }
    }

    /**
     * Private memory, all zero, that the garbage collector gives back. From 16 MiB on the system is asked for huge
     * pages, with which a table of a million mappings is searched a quarter faster.
     *
     * @param size bytes, more than 0
     * @return the memory, page-aligned
     * @throws IllegalArgumentException if {@code size} is not more than 0
     * @throws OutOfMemoryError if the operating system refuses, with its reason
     */
    public static MemorySegment collected(long size) {
        checkSize(size);
        Arena arena = Arena.ofAuto();
        if (!NativeMemory.available()) {
            return sparse(size, arena);
        }
        MemorySegment memory = NativeMemory.mapAnonymous(size, arena);
        if (size >= HUGE_BYTES) {
            NativeMemory.preferHugePages(memory);
        }
        return memory;
    }

    /**
     * A part of a file, shared with everybody who maps it too.
     *
     * @param file   must exist
     * @param offset bytes from the start of the file
     * @param size   bytes, more than 0
     * @return the memory
     * @throws IOException if the file cannot be opened or mapped
     * @throws IllegalArgumentException if the file ends before {@code offset + size}
     */
    public static HostMemory file(Path file, long offset, long size) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (channel.size() - offset < size) {
                throw new IllegalArgumentException("size=" + size + " offset=" + offset
                        + " reach past the end of " + file + ", which has " + channel.size()
                        + " bytes; extend the file first");
            }
            Arena arena = Arena.ofShared();
            try {
                return new HostMemory(arena, channel.map(MapMode.READ_WRITE, offset, size, arena));
            } catch (IOException | RuntimeException refused) {
                arena.close();
                throw refused;
            }
        }
    }

    /**
     * The memory.
     *
     * @return a segment of a shared arena, valid until {@link #close}
     */
    public MemorySegment segment() {
        return segment;
    }

    /** Unmaps. Whoever touches the segment afterwards gets {@link IllegalStateException}. */
    @Override
    public void close() {
        arena.close();
    }

    private static void checkSize(long size) {
        if (size <= 0) {
            throw new IllegalArgumentException("size=" + size + ", but at least one byte is needed");
        }
    }

    private static MemorySegment sparse(long size, Arena arena) {
        try {
            Path file = Files.createTempFile("virtio4j-", ".ram");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                return channel.map(MapMode.READ_WRITE, 0, size, arena);
            } finally {
                Files.delete(file);
            }
        } catch (IOException refused) {
            throw new UncheckedIOException("size=" + size + " could not be mapped from a temporary file", refused);
        }
    }
}
