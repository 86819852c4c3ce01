// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.os;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/** {@code mmap} and {@code munmap} of Linux, for memory that is committed page by page as it is touched. */
public final class NativeMemory {

    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_PRIVATE = 0x02;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final long MAP_FAILED = -1;

    private NativeMemory() {
    }

    /**
     * Whether these calls can be made here.
     *
     * @return true on Linux, when the module may call native code
     */
    public static boolean available() {
        return System.getProperty("os.name").equals("Linux") && NativeMemory.class.getModule().isNativeAccessEnabled();
    }

    /**
     * Maps private, zeroed memory without reserving swap for it.
     *
     * @param size  bytes, more than 0
     * @param arena its close unmaps
     * @return the memory, page-aligned
     * @throws OutOfMemoryError if the system refuses, naming its error
     */
    @SuppressWarnings("restricted") // the length is what mmap was asked for and the arena's close is the munmap
    public static MemorySegment mapAnonymous(long size, Arena arena) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment state = call.allocate(Calls.STATE);
            MemorySegment memory = (MemorySegment) Calls.MMAP.invokeExact(state, MemorySegment.NULL, size,
                    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
            if (memory.address() == MAP_FAILED) {
                throw new OutOfMemoryError(
                        "mmap of " + size + " bytes: " + Errno.name((int) Calls.ERRNO.get(state, 0L)));
            }
            return memory.reinterpret(size, arena, mapped -> unmap(mapped, size));
        } catch (RuntimeException | Error failed) {
            throw failed;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static void unmap(MemorySegment memory, long size) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment state = call.allocate(Calls.STATE);
            int result = (int) Calls.MUNMAP.invokeExact(state, memory, size);
            if (result != 0) {
                throw new IllegalStateException(
                        "munmap of " + size + " bytes: " + Errno.name((int) Calls.ERRNO.get(state, 0L)));
            }
        } catch (RuntimeException | Error failed) {
            throw failed;
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    @SuppressWarnings("restricted") // the descriptors are those of the C library
    private static final class Calls {

        static final StructLayout STATE = Linker.Option.captureStateLayout();
        static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

        static final MethodHandle MMAP = downcall("mmap", FunctionDescriptor.of(ValueLayout.ADDRESS,
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        static final MethodHandle MUNMAP = downcall("munmap",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

        private static MethodHandle downcall(String name, FunctionDescriptor descriptor) {
            Linker linker = Linker.nativeLinker();
            MemorySegment address = linker.defaultLookup().find(name).orElseThrow();
            return linker.downcallHandle(address, descriptor, Linker.Option.captureCallState("errno"));
        }
    }
}
