// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/**
 * {@code mmap}, {@code madvise} and {@code munmap} of Linux, for memory that is committed page by page as it is
 * touched.
 */
public final class NativeMemory {

    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_SHARED = 0x01;
    private static final int MAP_PRIVATE = 0x02;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final long MAP_FAILED = -1;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;

    private NativeMemory() {
    }

    /**
     * Whether these calls can be made here.
     *
     * @return true on Linux, when the module may call native code
     */
    public static boolean available() {
        return NativeCall.available();
    }

    /**
     * Maps private, zeroed memory without reserving swap for it.
     *
     * @param size  bytes, more than 0
     * @param arena its close unmaps
     * @return the memory, page-aligned
     * @throws OutOfMemoryError if the system refuses, naming its error
     */
    public static MemorySegment mapAnonymous(long size, Arena arena) {
        MemorySegment memory =
                mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory.address() == MAP_FAILED) {
            throw new OutOfMemoryError("mmap of " + size + " bytes: " + Errno.name(NativeCall.errno()));
        }
        return owned(memory, size, arena);
    }

    /**
     * Maps what another process shares by a descriptor, so that each sees what the other writes. The descriptor may be
     * closed afterwards. A process that can make the memory shorter than what is mapped can break the program that
     * touches it, so ask {@link Descriptor#isSealedAgainstShrinking} and {@link Descriptor#size} first.
     *
     * @param memory   what to map
     * @param offset   where to begin, in bytes
     * @param size     bytes, more than 0
     * @param writable whether it is to be written, too
     * @param arena    its close unmaps
     * @return the memory, page-aligned; read-only if not {@code writable}
     * @throws NativeFailureException if the system refuses, naming its error
     */
    public static MemorySegment mapShared(Descriptor memory, long offset, long size, boolean writable, Arena arena)
            throws NativeFailureException {
        int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
        MemorySegment mapped = mmap(size, protection, MAP_SHARED | MAP_NORESERVE, memory.number(), offset);
        if (mapped.address() == MAP_FAILED) {
            throw new NativeFailureException("mmap of " + size + " bytes at " + offset + " of a descriptor",
                    NativeCall.errno());
        }
        MemorySegment owned = owned(mapped, size, arena);
        return writable ? owned : owned.asReadOnly();
    }

    /**
     * Asks for huge pages (2 MiB on x86-64). A system that has no large pages free, or was built without them, uses
     * small ones.
     *
     * @param memory from {@link #mapAnonymous}
     * @return whether the system will try; false with {@code EINVAL} where it knows no huge pages
     */
    public static boolean preferHugePages(MemorySegment memory) {
        try {
            return (int) Calls.MADVISE.invokeExact(NativeCall.state(), memory, memory.byteSize(), MADV_HUGEPAGE) == 0;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /**
     * Gives the pages of a part of anonymous memory back. It stays mapped, and reads as zeros until it is written.
     *
     * @param part from {@link #mapAnonymous}, made of whole pages
     * @throws NativeFailureException if the system refuses, naming its error: {@code EINVAL} for memory that is locked
     *         (mlockall), or not made of whole pages
     */
    public static void discard(MemorySegment part) throws NativeFailureException {
        int result;
        try {
            result = (int) Calls.MADVISE.invokeExact(NativeCall.state(), part, part.byteSize(), MADV_DONTNEED);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
        if (result != 0) {
            throw new NativeFailureException("madvise of " + part.byteSize() + " bytes", NativeCall.errno());
        }
    }

    /**
     * Runs something once an object cannot be reached any more, on a thread of the JDK.
     *
     * @param action must not refer to the object
     * @return to be held by the object, and by nothing that lives longer
     */
    @SuppressWarnings("restricted") // the segment has no bytes
    public static MemorySegment whenUnreachable(Runnable action) {
        return MemorySegment.NULL.reinterpret(0, Arena.ofAuto(), none -> action.run());
    }

    @SuppressWarnings("restricted") // the length is what mmap was asked for and the arena's close is the munmap
    private static MemorySegment owned(MemorySegment memory, long size, Arena arena) {
        try {
            return memory.reinterpret(size, arena, mapped -> unmap(mapped, size));
        } catch (RuntimeException | Error refused) {
            // The arena is closed, or there is no memory for its list of what to do at its end.
            unmap(memory, size);
            throw refused;
        }
    }

    private static MemorySegment mmap(long size, int protection, int flags, int descriptor, long offset) {
        try {
            return (MemorySegment) Calls.MMAP.invokeExact(NativeCall.state(), MemorySegment.NULL, size, protection,
                    flags, descriptor, offset);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    private static void unmap(MemorySegment memory, long size) {
        int result;
        try {
            result = (int) Calls.MUNMAP.invokeExact(NativeCall.state(), memory, size);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
        if (result != 0) {
            throw new IllegalStateException("munmap of " + size + " bytes: " + Errno.name(NativeCall.errno()));
        }
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    private static final class Calls {

        static final MethodHandle MMAP = NativeCall.link("mmap", FunctionDescriptor.of(ValueLayout.ADDRESS,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        static final MethodHandle MADVISE = NativeCall.link("madvise", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        static final MethodHandle MUNMAP = NativeCall.link("munmap",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    }
}
