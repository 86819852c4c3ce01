// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * What all native calls have in common: how they are linked, and where they leave their error number. A thread has one
 * place for it, allocated at its first call.
 *
 * <p>All are ordinary downcalls. Most may block, and a critical call that blocks would delay every safepoint.
 */
public final class NativeCall {

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> STATE_OF_THREAD =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

    private NativeCall() {
    }

    /**
     * Whether native calls can be made.
     *
     * @return true on Linux, when this module may make them
     * @throws IllegalCallerException if only the module that used to make them may, see {@link NativeAccess}
     */
    public static boolean available() {
        return System.getProperty("os.name").equals("Linux")
                && NativeAccess.isGranted(NativeCall.class.getModule(), NativeAccess.FORMER_MODULE);
    }

    /**
     * Whether the C library has a function; some are younger than others.
     *
     * @param name of the function
     * @return whether it can be linked
     */
    public static boolean exists(String name) {
        return Linker.nativeLinker().defaultLookup().find(name).isPresent();
    }

    /**
     * The first argument of every call but those linked quietly: where its error number goes.
     *
     * @return memory of the calling thread
     */
    public static MemorySegment state() {
        return STATE_OF_THREAD.get();
    }

    /**
     * The error number of this thread's last call, if that failed.
     *
     * @return see {@link Errno}
     */
    public static int errno() {
        return (int) ERRNO.get(STATE_OF_THREAD.get(), 0L);
    }

    /**
     * Links a function of the C library whose arguments are all named.
     *
     * @param name       of the function
     * @param descriptor its result and arguments, without {@link #state}
     * @return takes {@link #state} as its first argument
     */
    public static MethodHandle link(String name, FunctionDescriptor descriptor) {
        return link(name, descriptor, Linker.Option.captureCallState("errno"));
    }

    /**
     * Links a function of the C library that takes more arguments than are named.
     *
     * @param name         of the function
     * @param firstUnnamed which argument is the first without a name, from 0
     * @param descriptor   its result and arguments, without {@link #state}
     * @return takes {@link #state} as its first argument
     */
    public static MethodHandle linkVariadic(String name, int firstUnnamed, FunctionDescriptor descriptor) {
        return link(name, descriptor, Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(firstUnnamed));
    }

    /**
     * Links a function of the C library whose error number is not asked for. Calls allocate nothing then, while an
     * error number costs 40 bytes of heap wherever the JIT does not help.
     *
     * @param name       of the function
     * @param descriptor its result and arguments
     * @return takes no {@link #state}
     */
    public static MethodHandle linkQuietly(String name, FunctionDescriptor descriptor) {
        return link(name, descriptor, new Linker.Option[0]);
    }

    /**
     * Throws what a call can really throw; a method handle declares to throw anything.
     *
     * @param thrown caught around a call
     * @return never, if {@code thrown} is unchecked
     */
    public static AssertionError impossible(Throwable thrown) {
        if (thrown instanceof RuntimeException failed) {
            throw failed;
        }
        if (thrown instanceof Error failed) {
            throw failed;
        }
        return new AssertionError(thrown);
    }

    @SuppressWarnings("restricted") // the descriptors are those of the C library
    private static MethodHandle link(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        MemorySegment address = linker.defaultLookup().find(name).orElseThrow(() -> new UnsupportedOperationException(
                "the C library of this machine has no " + name));
        return linker.downcallHandle(address, descriptor, options);
    }
}
