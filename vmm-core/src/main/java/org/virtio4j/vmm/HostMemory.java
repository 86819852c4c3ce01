// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.memory.NativeMemory;

/**
 * A stretch of the host's memory that costs nothing until it is touched, and goes back when closed.
 *
 * <p>Anonymous memory comes from {@code mmap} without reserve where this module may call native code
 * ({@code --enable-native-access=org.virtio4j.os}), else from a sparse temporary file that is deleted at once.
 * {@link Arena#allocate} would write zeros to all of it first: 4.1 s for 2 GiB, measured on the machine of the first
 * benchmarks.
 */
public final class HostMemory implements AutoCloseable {

    /** What is smaller is soon touched all over, and finds room in the processor's memory of pages. */
    private static final long HUGE_BYTES = 16L << 20;

    /** Null if the garbage collector alone ends it. */
    private final @Nullable Arena arena;
    private final MemorySegment segment;
    private final boolean anonymous;

    /** What closes the arena if nobody else has when this object cannot be reached any more; null for never. */
    private final @Nullable MemorySegment net;

    private HostMemory(@Nullable Arena arena, MemorySegment segment, boolean anonymous, @Nullable MemorySegment net) {
        this.arena = arena;
        this.segment = segment;
        this.anonymous = anonymous;
        this.net = net;
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
        boolean available = NativeMemory.available();
        Arena arena = Arena.ofShared();
        try {
            MemorySegment segment = available ? NativeMemory.mapAnonymous(size, arena) : sparse(size, arena);
            return new HostMemory(arena, segment, available, null);
        } catch (RuntimeException | Error refused) {
            arena.close();
            throw refused;
        }
    }

    /**
     * Private memory, all zero, that goes back when it is closed. If it never is, it goes back when the garbage
     * collector finds that this object cannot be reached any more; so code that keeps an address of the memory keeps
     * the object as well. Without native access the collector alone gives it back, and {@link #close}
     * does nothing.
     *
     * <p>From 16 MiB on the system is asked for huge pages, with which a table of a million mappings is searched a
     * quarter faster.
     *
     * @param size bytes, more than 0
     * @return the memory, page-aligned
     * @throws IllegalArgumentException if {@code size} is not more than 0
     * @throws OutOfMemoryError if the operating system refuses, with its reason
     */
    public static HostMemory collected(long size) {
        checkSize(size);
        if (!NativeMemory.available()) {
            return new HostMemory(null, sparse(size, Arena.ofAuto()), false, null);
        }
        Arena arena = Arena.ofShared();
        try {
            MemorySegment segment = NativeMemory.mapAnonymous(size, arena);
            if (size >= HUGE_BYTES) {
                NativeMemory.preferHugePages(segment);
            }
            return new HostMemory(arena, segment, true, NativeMemory.whenUnreachable(() -> closeIfOpen(arena)));
        } catch (RuntimeException | Error refused) {
            arena.close();
            throw refused;
        }
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
                return new HostMemory(arena, channel.map(MapMode.READ_WRITE, offset, size, arena), false, null);
            } catch (IOException | RuntimeException | Error refused) {
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

    /**
     * Tells the system that the content of a part is not needed any more, and so gives its pages back. What it holds
     * afterwards is undefined until it is written. Nothing happens to the memory of files.
     *
     * @param offset bytes from the start, a multiple of the system's page size
     * @param length bytes, with the same condition
     * @return whether the pages are free now
     * @throws IndexOutOfBoundsException if the part lies outside
     * @throws NativeFailureException if the system refuses, naming its error
     */
    public boolean giveBack(long offset, long length) throws NativeFailureException {
        MemorySegment part = segment.asSlice(offset, length);
        if (anonymous) {
            NativeMemory.discard(part);
        }
        return anonymous;
    }

    /**
     * Unmaps; a second call does nothing. Code that touches the segment afterwards gets {@link IllegalStateException}.
     *
     * @throws IllegalStateException if a native call is using the memory
     */
    @Override
    public void close() {
        try {
            if (arena != null) {
                closeIfOpen(arena);
            }
        } finally {
            // Until here the net must not do the same.
            Reference.reachabilityFence(net);
        }
    }

    private static void closeIfOpen(Arena arena) {
        if (arena.scope().isAlive()) {
            arena.close();
        }
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
