// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

/**
 * Error numbers of Linux, the same on x86-64 and aarch64, and their names, so that a message says ENOMEM and not 12.
 */
public final class Errno {

    /** A name that is not there. */
    public static final int ENOENT = 2;
    /** A call that a signal ended before it did anything. */
    public static final int EINTR = 4;
    /** A device that failed. */
    public static final int EIO = 5;
    /** A descriptor that is not open. */
    public static final int EBADF = 9;
    /** Something that would have to wait. */
    public static final int EAGAIN = 11;
    /** No memory. */
    public static final int ENOMEM = 12;
    /** No permission. */
    public static final int EACCES = 13;
    /** Memory that does not exist, or must not be written. */
    public static final int EFAULT = 14;
    /** Something that is in use. */
    public static final int EBUSY = 16;
    /** Something that is there already. */
    public static final int EEXIST = 17;
    /** An argument that makes no sense. */
    public static final int EINVAL = 22;
    /** More descriptors than the process may have. */
    public static final int EMFILE = 24;
    /** No room. */
    public static final int ENOSPC = 28;
    /** A file system that has no locks, or no room for one more. */
    public static final int ENOLCK = 37;
    /** A call that the system does not have. */
    public static final int ENOSYS = 38;
    /** A message that is too long. */
    public static final int EMSGSIZE = 90;
    /** Something that is not supported; ENOTSUP is the same number. */
    public static final int EOPNOTSUPP = 95;
    /** An address that somebody else has. */
    public static final int EADDRINUSE = 98;
    /** An address where nobody listens. */
    public static final int ECONNREFUSED = 111;

    private Errno() {
    }

    /**
     * The name of an error number alone.
     *
     * @param errno as the C library gives it
     * @return such as {@code EINVAL}, or {@code errno 1234} for one without a name here
     */
    public static String symbol(int errno) {
        String name = name(errno);
        int end = name.indexOf(" (");
        return end < 0 ? name : name.substring(0, end);
    }

    /**
     * The name of an error number and what it means.
     *
     * @param errno as the C library gives it
     * @return such as {@code EINVAL (invalid argument)}
     */
    public static String name(int errno) {
        return switch (errno) {
            case 1 -> "EPERM (operation not permitted)";
            case ENOENT -> "ENOENT (no such file or directory)";
            case EINTR -> "EINTR (interrupted by a signal)";
            case EIO -> "EIO (input or output error)";
            case EBADF -> "EBADF (not an open descriptor)";
            case EAGAIN -> "EAGAIN (not now: it would wait, or a limit is reached)";
            case ENOMEM -> "ENOMEM (not enough memory or address space)";
            case EACCES -> "EACCES (permission denied)";
            case EFAULT -> "EFAULT (memory that does not exist, or must not be written)";
            case EBUSY -> "EBUSY (in use)";
            case EEXIST -> "EEXIST (exists already)";
            case 19 -> "ENODEV (not supported by this kind of file)";
            case 20 -> "ENOTDIR (not a directory)";
            case EINVAL -> "EINVAL (invalid argument)";
            case 23 -> "ENFILE (too many open files in the system)";
            case EMFILE -> "EMFILE (too many open files in this process)";
            case ENOSPC -> "ENOSPC (no space left)";
            case 30 -> "EROFS (read-only file system)";
            case 32 -> "EPIPE (the other end is closed)";
            case ENOLCK -> "ENOLCK (no locks to be had)";
            case ENOSYS -> "ENOSYS (no such call)";
            case 75 -> "EOVERFLOW (too large a value)";
            case EMSGSIZE -> "EMSGSIZE (message too long)";
            case EOPNOTSUPP -> "EOPNOTSUPP (operation not supported)";
            case EADDRINUSE -> "EADDRINUSE (address in use)";
            case 104 -> "ECONNRESET (connection reset by the other end)";
            case 105 -> "ENOBUFS (no buffer space)";
            case ECONNREFUSED -> "ECONNREFUSED (nobody listens there)";
            default -> "errno " + errno;
        };
    }
}
