// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/**
 * Keeps other processes from the file of a disk, and this process from theirs, by the rules of QEMU ({@code
 * block/file-posix.c}), so that the two respect each other. A process says what it does with the file by a read lock on
 * a byte from 100 on, and what other processes must not do by a read lock on a byte from 200 on. Then it looks whether
 * the other byte of each pair is locked. Two processes that come at the same moment may see each other, and both give
 * up.
 *
 * <p>The locks are of the open file description ({@code F_OFD_SETLK}), on a descriptor that nobody else uses: those of
 * {@code FileChannel.lock} are lost as soon as the process closes any other descriptor of that file.
 */
public final class ImageLock implements AutoCloseable {

    private static final int O_RDONLY = 0;

    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;

    /** Of {@code struct flock}; the rest stays 0: from the start of the file, by no process. */
    private static final long FLOCK_BYTES = 32;
    private static final long FLOCK_TYPE = 0;
    private static final long FLOCK_START = 8;
    private static final long FLOCK_LENGTH = 16;

    private static final int HELD = 100;
    private static final int NOT_SHARED = 200;

    /** What may be done with a file: places from {@link #HELD} and {@link #NOT_SHARED}. */
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int RESIZE = 3;

    /** Resizing too, because a disk may be told to at any time. */
    private static final int[] OF_WRITER = {READ, WRITE, RESIZE};
    private static final int[] OF_READER = {READ};

    /** Nobody else, whether the disk is written or its contents must not change while it is read. */
    private static final int[] FOR_US_ALONE = {WRITE, RESIZE};

    private final Path file;
    private final Descriptor descriptor;

    private ImageLock(Path file, Descriptor descriptor) {
        this.file = file;
        this.descriptor = descriptor;
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
     * Whether a failure means that the file system has no such locks, and not that something went wrong.
     *
     * @param errno see {@link NativeFailureException#errno}
     * @return true for the answers of file systems without locks, and of systems older than the call
     */
    public static boolean meansNoLocks(int errno) {
        return errno == Errno.ENOLCK || errno == Errno.EOPNOTSUPP || errno == Errno.EINVAL || errno == Errno.ENOSYS;
    }

    /**
     * Locks a file, until the lock is closed or the process ends.
     *
     * @param file must exist and be readable
     * @param writes whether it is to be written, or only read
     * @return the lock
     * @throws FileSystemException if another process uses the file in a way that does not go together with this one;
     *         its reason says which
     * @throws NativeFailureException if the system refuses, naming its error; see {@link #meansNoLocks}
     */
    public static ImageLock take(Path file, boolean writes) throws IOException {
        ImageLock lock = new ImageLock(file, NativeFile.open(file, O_RDONLY));
        try {
            lock.take(writes ? OF_WRITER : OF_READER);
            return lock;
        } catch (IOException refused) {
            lock.close();
            throw refused;
        }
    }

    /** Gives the file free. */
    @Override
    public void close() {
        descriptor.close();
    }

    private void take(int[] uses) throws IOException {
        for (int use : uses) {
            lock(HELD + use);
        }
        for (int use : FOR_US_ALONE) {
            lock(NOT_SHARED + use);
        }
        for (int use : FOR_US_ALONE) {
            if (isLockedByAnother(HELD + use)) {
                throw inUse("holds it for " + words(use));
            }
        }
        for (int use : uses) {
            if (isLockedByAnother(NOT_SHARED + use)) {
                throw inUse("holds it and allows no " + words(use));
            }
        }
    }

    private FileSystemException inUse(String what) {
        return new FileSystemException(file.toString(), null, "another process " + what);
    }

    private static String words(int use) {
        return switch (use) {
            case READ -> "reading";
            case WRITE -> "writing";
            default -> "resizing";
        };
    }

    private void lock(int place) throws IOException {
        int errno = control(F_OFD_SETLK, F_RDLCK, place, null);
        if (errno == Errno.EAGAIN || errno == Errno.EACCES) {
            throw inUse("has locked it");
        }
        if (errno != 0) {
            throw new NativeFailureException("fcntl(F_OFD_SETLK) of " + file, errno);
        }
    }

    private boolean isLockedByAnother(int place) throws IOException {
        short[] found = new short[1];
        int errno = control(F_OFD_GETLK, F_WRLCK, place, found);
        if (errno != 0) {
            throw new NativeFailureException("fcntl(F_OFD_GETLK) of " + file, errno);
        }
        return found[0] != F_UNLCK;
    }

    /** Returns 0 or an error number; and the type that the call leaves, if that is asked for. */
    private int control(int command, short type, int place, short @Nullable [] found) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment flock = call.allocate(FLOCK_BYTES, Long.BYTES);
            flock.set(ValueLayout.JAVA_SHORT, FLOCK_TYPE, type);
            flock.set(ValueLayout.JAVA_LONG, FLOCK_START, place);
            flock.set(ValueLayout.JAVA_LONG, FLOCK_LENGTH, 1);
            int failed = (int) Calls.FCNTL.invokeExact(NativeCall.state(), descriptor.number(), command, flock);
            if (found != null) {
                found[0] = flock.get(ValueLayout.JAVA_SHORT, FLOCK_TYPE);
            }
            return failed < 0 ? NativeCall.errno() : 0;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    private static final class Calls {

        static final MethodHandle FCNTL = NativeCall.linkVariadic("fcntl", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    }
}
