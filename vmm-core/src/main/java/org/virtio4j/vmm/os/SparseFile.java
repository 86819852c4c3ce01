// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.os;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A file of which parts can be given back to the file system, which no {@code FileChannel} can ({@code fallocate} with
 * {@code FALLOC_FL_PUNCH_HOLE}). Any thread may call any method.
 */
public final class SparseFile implements AutoCloseable {

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;

    private final Descriptor descriptor;

    private SparseFile(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /**
     * Opens a file, if it is one of which parts can be given back. That is tried out behind its end, where there is
     * nothing to lose.
     *
     * @param file must exist and be writable
     * @return nothing where native calls are not allowed or the file system cannot do it
     * @throws NativeFailureException if the system refuses for another reason, naming its error
     */
    public static Optional<SparseFile> open(Path file) throws IOException {
        if (!NativeCall.available()) {
            return Optional.empty();
        }
        SparseFile opened = new SparseFile(new Descriptor(openNumber(file)));
        try {
            if (opened.punch(opened.descriptor.size(), 1)) {
                return Optional.of(opened);
            }
        } catch (IOException refused) {
            opened.close();
            throw refused;
        }
        opened.close();
        return Optional.empty();
    }

    /**
     * Gives a part back, which reads as zeros from now on. The file stays as long as it is. Allocates nothing.
     *
     * @param offset where the part begins, in bytes
     * @param length bytes, more than 0
     * @return false if the file system cannot do it, and everything is as it was
     * @throws ClosedChannelException if this was closed
     * @throws NativeFailureException if the system refuses for another reason, naming its error
     */
    public boolean punch(long offset, long length) throws IOException {
        if (!descriptor.begin()) {
            throw new ClosedChannelException();
        }
        try {
            return fallocate(offset, length) == 0 || punchAgain(offset, length);
        } finally {
            descriptor.end();
        }
    }

    /** Closes the file, when no other method is at work any more. */
    @Override
    public void close() {
        descriptor.close();
    }

    private static int openNumber(Path file) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            int number = (int) Calls.OPEN.invokeExact(NativeCall.state(), call.allocateFrom(file.toString()),
                    O_RDWR | O_CLOEXEC);
            if (number < 0) {
                throw new NativeFailureException("open of " + file, NativeCall.errno());
            }
            return number;
        } catch (NativeFailureException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /** After a failure, to hear of the reason. */
    private boolean punchAgain(long offset, long length) throws NativeFailureException {
        int failed;
        do {
            failed = fallocateAloud(offset, length);
        } while (failed != 0 && NativeCall.errno() == Errno.EINTR);
        if (failed != 0 && NativeCall.errno() != Errno.EOPNOTSUPP) {
            throw new NativeFailureException("fallocate(PUNCH_HOLE) of " + length + " bytes at " + offset,
                    NativeCall.errno());
        }
        return failed == 0;
    }

    private int fallocate(long offset, long length) {
        try {
            return (int) Calls.QUIET_FALLOCATE.invokeExact(descriptor.number(), PUNCH_HOLE | KEEP_SIZE, offset,
                    length);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    private int fallocateAloud(long offset, long length) {
        try {
            return (int) Calls.FALLOCATE.invokeExact(NativeCall.state(), descriptor.number(), PUNCH_HOLE | KEEP_SIZE,
                    offset, length);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    private static final class Calls {

        static final MethodHandle OPEN = NativeCall.linkVariadic("open", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final FunctionDescriptor FALLOCATE_TYPE = FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
        static final MethodHandle FALLOCATE = NativeCall.link("fallocate", FALLOCATE_TYPE);
        static final MethodHandle QUIET_FALLOCATE = NativeCall.linkQuietly("fallocate", FALLOCATE_TYPE);
    }
}
