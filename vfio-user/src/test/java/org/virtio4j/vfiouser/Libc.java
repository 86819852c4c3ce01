// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** What a client needs of Linux. Written apart from the server's calls, so that a mistake there is found here. */
@SuppressWarnings("restricted")
public final class Libc {

    static final int SEAL_SHRINK = 2;
    static final int SEAL_GROW = 4;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private static final MethodHandle SOCKET = link("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle CONNECT = link("connect",
            FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle BIND = link("bind", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle LISTEN = link("listen", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle ACCEPT = link("accept4",
            FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, INT));
    private static final MethodHandle RECVMSG = link("recvmsg",
            FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle SENDMSG = link("sendmsg",
            FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle READ = link("read", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG));
    private static final MethodHandle WRITE = link("write",
            FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG));
    private static final MethodHandle OPEN = link("open", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle CLOSE = link("close", FunctionDescriptor.of(INT, INT));
    private static final MethodHandle SHUTDOWN = link("shutdown", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle MEMFD = link("memfd_create",
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle FTRUNCATE = link("ftruncate", FunctionDescriptor.of(INT, INT, LONG));
    private static final MethodHandle FCNTL = link("fcntl", FunctionDescriptor.of(INT, INT, INT, INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle EVENTFD = link("eventfd", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle MMAP = link("mmap", FunctionDescriptor.of(ValueLayout.ADDRESS,
            ValueLayout.ADDRESS, LONG, INT, INT, INT, LONG));
    private static final MethodHandle MUNMAP = link("munmap", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG));

    private Libc() {
    }

    /**
     * Connects to a Unix stream socket.
     *
     * @param path where it is
     * @return a descriptor
     */
    public static int connect(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = check("socket", (int) SOCKET.invokeExact(1, 1 | 0x80000, 0));
            check("connect to " + path, (int) CONNECT.invokeExact(fd, address(path, arena), 110));
            return fd;
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /**
     * Listens at a Unix stream socket.
     *
     * @param path where nothing is yet
     * @return a descriptor
     */
    public static int listen(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = check("socket", (int) SOCKET.invokeExact(1, 1 | 0x80000, 0));
            check("bind to " + path, (int) BIND.invokeExact(fd, address(path, arena), 110));
            check("listen", (int) LISTEN.invokeExact(fd, 16));
            return fd;
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /**
     * Waits for somebody who connects.
     *
     * @param fd of {@link #listen}
     * @return a descriptor, or -1 when the socket was shut down
     */
    public static int accept(int fd) {
        try {
            return (int) ACCEPT.invokeExact(fd, MemorySegment.NULL, MemorySegment.NULL, 0x80000);
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private static MemorySegment address(Path path, Arena arena) {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        MemorySegment address = arena.allocate(110);
        address.set(BYTE, 0, (byte) 1);
        MemorySegment.copy(name, 0, address, BYTE, 2, name.length);
        return address;
    }

    /**
     * One {@code recvmsg}.
     *
     * @param fd          a stream socket
     * @param length      bytes at most
     * @param descriptors gets those that come along, to be closed by the caller
     * @return the bytes; empty at the end, or if the connection is broken
     */
    public static byte[] receive(int fd, int length, List<Integer> descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(length);
            MemorySegment control = arena.allocate(16 + 4 * 256, 8);
            MemorySegment message = header(arena, data, length);
            message.set(LONG, 32, control.address());
            message.set(LONG, 40, control.byteSize());
            long count = (long) RECVMSG.invokeExact(fd, message, 0x40000000);
            long controls = count < 0 ? 0 : message.get(LONG, 40);
            for (long at = 16; controls > 0 && at < control.get(LONG, 0); at += 4) {
                descriptors.add(control.get(INT, at));
            }
            return count <= 0 ? new byte[0] : data.asSlice(0, count).toArray(BYTE);
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private static MemorySegment header(Arena arena, MemorySegment data, long length) {
        MemorySegment vector = arena.allocate(16, 8);
        vector.set(LONG, 0, data.address());
        vector.set(LONG, 8, length);
        MemorySegment message = arena.allocate(56, 8);
        message.set(LONG, 16, vector.address());
        message.set(LONG, 24, 1);
        return message;
    }

    /**
     * One {@code sendmsg}.
     *
     * @param fd          a stream socket
     * @param bytes       to be sent
     * @param descriptors to be sent along
     * @return the bytes sent, or -1
     */
    public static long send(int fd, byte[] bytes, int... descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, data, BYTE, 0, bytes.length);
            MemorySegment message = header(arena, data, bytes.length);
            if (descriptors.length > 0) {
                MemorySegment control = arena.allocate(16 + ((descriptors.length * 4 + 7) & ~7), 8);
                control.set(LONG, 0, 16 + descriptors.length * 4L);
                control.set(INT, 8, 1);
                control.set(INT, 12, 1);
                MemorySegment.copy(descriptors, 0, control, INT, 16, descriptors.length);
                message.set(LONG, 32, control.address());
                message.set(LONG, 40, control.byteSize());
            }
            return (long) SENDMSG.invokeExact(fd, message, 0x4000);
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /** Up to {@code length} bytes; empty at the end, or if there is nothing in a descriptor that does not block. */
    static byte[] read(int fd, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(Math.max(1, length));
            long count = (long) READ.invokeExact(fd, data, (long) length);
            return count <= 0 ? new byte[0] : data.asSlice(0, count).toArray(BYTE);
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    static int open(Path file) {
        return open(file, 2);
    }

    static int openToRead(Path file) {
        return open(file, 0);
    }

    private static int open(Path file, int how) {
        try (Arena arena = Arena.ofConfined()) {
            return check("open", (int) OPEN.invokeExact(arena.allocateFrom(file.toString()), how | 0x80000));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /**
     * Closes a descriptor.
     *
     * @param fd an open one
     */
    public static void close(int fd) {
        try {
            check("close", (int) CLOSE.invokeExact(fd));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /** Says that nothing more will be sent. */
    static void shutdownWrites(int fd) {
        check("shutdown", shutdown(fd, 1));
    }

    /**
     * Ends a direction of a connection, or a wait in {@link #accept}.
     *
     * @param fd  a socket
     * @param how 0 for reads, 1 for writes, 2 for both
     * @return 0, or -1 if it is not connected any more
     */
    public static int shutdown(int fd, int how) {
        try {
            return (int) SHUTDOWN.invokeExact(fd, how);
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    static int memfd(long size, int seals) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = check("memfd_create", (int) MEMFD.invokeExact(arena.allocateFrom("virtio4j test"), 1 | 2));
            truncate(fd, size);
            if (seals != 0) {
                check("F_ADD_SEALS", (int) FCNTL.invokeExact(fd, 1033, seals));
            }
            return fd;
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /** Memory of huge pages; −1 where there is no such thing. */
    static int hugeMemfd(long size) {
        try (Arena arena = Arena.ofConfined()) {
            int fd = (int) MEMFD.invokeExact(arena.allocateFrom("virtio4j test"), 1 | 4);
            if (fd >= 0) {
                truncate(fd, size);
            }
            return fd;
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    static void truncate(int fd, long size) {
        try {
            check("ftruncate", (int) FTRUNCATE.invokeExact(fd, size));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /** Nonblocking, so that looking at its counter never waits. */
    static int eventfd() {
        try {
            return check("eventfd", (int) EVENTFD.invokeExact(0, 0x800 | 0x80000));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    /** Takes O_NONBLOCK back and leaves no room in the counter, so that a write to it waits. */
    static void fillAndBlock(int eventfd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment most = arena.allocate(LONG);
            most.set(LONG, 0, -2);
            if ((long) WRITE.invokeExact(eventfd, most, 8L) != 8) {
                throw new AssertionError("write failed");
            }
            check("F_SETFL", (int) FCNTL.invokeExact(eventfd, 4, 0));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    static MemorySegment map(int fd, long size, Arena arena) {
        try {
            MemorySegment mapped = (MemorySegment) MMAP.invokeExact(MemorySegment.NULL, size, 3, 1, fd, 0L);
            if (mapped.address() == -1) {
                throw new AssertionError("mmap failed");
            }
            return mapped.reinterpret(size, arena, memory -> unmap(memory, size));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private static void unmap(MemorySegment memory, long size) {
        try {
            check("munmap", (int) MUNMAP.invokeExact(memory, size));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private static int check(String what, int result) {
        if (result < 0) {
            throw new AssertionError(what + " failed");
        }
        return result;
    }

    private static MethodHandle link(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), descriptor, options);
    }
}
