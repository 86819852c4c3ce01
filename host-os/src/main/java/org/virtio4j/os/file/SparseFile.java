// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.file;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Optional;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/**
 * A file or block device of which parts can be given back, which no {@code FileChannel} can ({@code fallocate} with
 * {@code FALLOC_FL_PUNCH_HOLE}). Any thread may call any method.
 *
 * <p>The same call is made for block devices, and not {@code BLKDISCARD}: what is given back then reads as zeros, or
 * nothing has happened. The host's cache knows of it, and a range that is not made of whole blocks of the device is
 * refused, never rounded.
 */
public final class SparseFile implements AutoCloseable {

    private static final int O_RDWR = 2;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;

    private final Descriptor descriptor;

    /** What parts are made of, in bytes. */
    private final int grain;

    private SparseFile(Descriptor descriptor, int grain) {
        this.descriptor = descriptor;
        this.grain = grain;
    }

    /**
     * Opens a file, if it may be one of which parts can be given back. With a file that is tried out behind its end,
     * where there is nothing to lose. A device is never tried out: nothing lies behind its end. Whether it can shows at
     * the first {@link #punch}.
     *
     * @param file must exist and be writable
     * @return nothing where native calls are not allowed, the file system cannot do it, or the block size of a device
     *     is not known
     * @throws NativeFailureException if the system refuses for another reason, naming its error
     */
    public static Optional<SparseFile> open(Path file) throws IOException {
        if (!NativeCall.available()) {
            return Optional.empty();
        }
        Descriptor opened = NativeFile.open(file, O_RDWR);
        try {
            // Asked of the descriptor, because the name may lead to something else by now.
            Optional<SparseFile> sparse = switch (opened.kind()) {
                case FILE -> ofFile(opened);
                case BLOCK_DEVICE -> ofDevice(opened, BlockDeviceInfo.logicalBlockSize(file));
                default -> Optional.empty();
            };
            if (sparse.isEmpty()) {
                opened.close();
            }
            return sparse;
        } catch (IOException refused) {
            opened.close();
            throw refused;
        }
    }

    /**
     * Gives a part back, which reads as zeros from now on. The file stays as long as it is. Allocates nothing.
     *
     * @param offset where the part begins, in bytes
     * @param length bytes, more than 0
     * @return false if that cannot be done, and everything is as it was: the file system or device has no way, uses the
     *     part just now, or has larger blocks
     * @throws ClosedChannelException if this was closed
     * @throws NativeFailureException if the system refuses for another reason, naming its error
     */
    public boolean punch(long offset, long length) throws IOException {
        if ((offset | length) % grain != 0) {
            return false;
        }
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

    private static Optional<SparseFile> ofFile(Descriptor opened) throws IOException {
        SparseFile sparse = new SparseFile(opened, 1);
        return sparse.punch(opened.size(), 1) ? Optional.of(sparse) : Optional.empty();
    }

    private static Optional<SparseFile> ofDevice(Descriptor opened, int block) {
        return block == 0 ? Optional.empty() : Optional.of(new SparseFile(opened, block));
    }

    /** After a failure, to learn the reason. */
    private boolean punchAgain(long offset, long length) throws NativeFailureException {
        int failed;
        do {
            failed = fallocateAloud(offset, length);
        } while (failed != 0 && NativeCall.errno() == Errno.EINTR);
        if (failed != 0 && NativeCall.errno() != Errno.EOPNOTSUPP && NativeCall.errno() != Errno.EBUSY) {
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

        static final FunctionDescriptor FALLOCATE_TYPE = FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
        static final MethodHandle FALLOCATE = NativeCall.link("fallocate", FALLOCATE_TYPE);
        static final MethodHandle QUIET_FALLOCATE = NativeCall.linkQuietly("fallocate", FALLOCATE_TYPE);
    }
}
