// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A client that is no VMM: it drives the virtio function behind a socket itself, with rings in a file of its own, and
 * writes no doorbell unless it is told to. Numbers are those of the protocol and of virtio, written down once more.
 */
@SuppressWarnings("restricted")
final class QuietClient implements AutoCloseable {

    private static final int VERSION = 1;
    private static final int DMA_MAP = 2;
    private static final int READ = 9;
    private static final int WRITE = 10;
    private static final int CONFIG = 7;
    private static final int BAR = 4;
    private static final long NOTIFY = 0x3000;
    private static final int HEADER = 16;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final MethodHandle SOCKET = link("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle CONNECT = link("connect",
            FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle SENDMSG = link("sendmsg",
            FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle RECV = link("recv",
            FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle OPEN = link("open", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle CLOSE = link("close", FunctionDescriptor.of(INT, INT));

    private final int fd;
    private final int ramFd;
    private int nextId = 1;

    /** Connects, and maps the whole of a file from address 0 on. */
    QuietClient(Path socket, Path ram, long size) {
        fd = connect(socket);
        request(VERSION, body(5).putShort((short) 0).putShort((short) 0).put((byte) 0));
        ramFd = open(ram);
        request(DMA_MAP, body(32).putInt(32).putInt(3).putLong(0).putLong(0).putLong(size), ramFd);
    }

    /** Accepts what is offered but for some bits of the first word, and sets up one queue; all but DRIVER_OK. */
    void prepare(int unwanted, int queue, int size, long descriptors, long available, long used) {
        write(CONFIG, 4, 2, 6);
        write(BAR, 0x14, 1, 0);
        write(BAR, 0x14, 1, 1);
        write(BAR, 0x14, 1, 3);
        for (int word = 0; word < 2; word++) {
            write(BAR, 0x00, 4, word);
            long offered = read(BAR, 0x04, 4);
            write(BAR, 0x08, 4, word);
            write(BAR, 0x0c, 4, word == 0 ? offered & ~unwanted : offered);
        }
        write(BAR, 0x14, 1, 11);
        write(BAR, 0x16, 2, queue);
        write(BAR, 0x18, 2, size);
        write(BAR, 0x20, 8, descriptors);
        write(BAR, 0x28, 8, available);
        write(BAR, 0x30, 8, used);
        write(BAR, 0x1c, 2, 1);
    }

    void driverOk() {
        write(BAR, 0x14, 1, 15);
    }

    int status() {
        return (int) read(BAR, 0x14, 1);
    }

    /** A doorbell, waited for as long as the reply takes. */
    void doorbell(int queue) {
        write(BAR, NOTIFY + 4L * queue, 2, queue);
    }

    @Override
    public void close() {
        close(fd);
        close(ramFd);
    }

    private long read(int region, long offset, int width) {
        ByteBuffer answer = request(READ, body(16).putLong(offset).putInt(region).putInt(width));
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = (value << 8) | (answer.get(16 + i) & 0xff);
        }
        return value;
    }

    private void write(int region, long offset, int width, long value) {
        for (int at = 0; at < width; at += 4) {
            int bytes = Math.min(4, width - at);
            ByteBuffer data = body(16 + bytes).putLong(offset + at).putInt(region).putInt(bytes);
            for (int i = at; i < at + bytes; i++) {
                data.put((byte) (value >>> (8 * i)));
            }
            request(WRITE, data);
        }
    }

    private ByteBuffer request(int command, ByteBuffer body, int... descriptors) {
        byte[] message = new byte[HEADER + body.capacity()];
        ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN).putShort((short) nextId++).putShort((short) command)
                .putInt(message.length).putInt(0).putInt(0).put(body.flip());
        send(message, descriptors);
        ByteBuffer header = take(HEADER);
        int left = header.getInt(4) - HEADER;
        // Linux waits for a byte even where none is asked for.
        ByteBuffer answer = left == 0 ? body(0) : take(left);
        if ((header.getInt(8) & 0x20) != 0) {
            throw new AssertionError("command " + command + ": errno " + header.getInt(12));
        }
        return answer;
    }

    private static ByteBuffer body(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    // Linux

    private static int connect(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            int made = check("socket", (int) SOCKET.invokeExact(1, 1 | 0x80000, 0));
            byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
            MemorySegment address = arena.allocate(110);
            address.set(BYTE, 0, (byte) 1);
            MemorySegment.copy(name, 0, address, BYTE, 2, name.length);
            check("connect", (int) CONNECT.invokeExact(made, address, 110));
            return made;
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private static int open(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            return check("open", (int) OPEN.invokeExact(arena.allocateFrom(file.toString()), 2 | 0x80000));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private static void close(int descriptor) {
        try {
            check("close", (int) CLOSE.invokeExact(descriptor));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private void send(byte[] bytes, int... descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(bytes.length);
            MemorySegment.copy(bytes, 0, data, BYTE, 0, bytes.length);
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(LONG, 0, data.address());
            vector.set(LONG, 8, bytes.length);
            MemorySegment message = arena.allocate(56, 8);
            message.set(LONG, 16, vector.address());
            message.set(LONG, 24, 1);
            if (descriptors.length > 0) {
                MemorySegment control = arena.allocate(24, 8);
                control.set(LONG, 0, 20);
                control.set(INT, 8, 1);
                control.set(INT, 12, 1);
                control.set(INT, 16, descriptors[0]);
                message.set(LONG, 32, control.address());
                message.set(LONG, 40, 24);
            }
            check("sendmsg", (int) ((long) SENDMSG.invokeExact(fd, message, 0x4000) - bytes.length));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }

    private ByteBuffer take(int size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(size);
            // MSG_WAITALL
            check("recv", (int) ((long) RECV.invokeExact(fd, data, (long) size, 0x100) - size));
            return ByteBuffer.wrap(data.asSlice(0, size).toArray(BYTE)).order(ByteOrder.LITTLE_ENDIAN);
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

    private static MethodHandle link(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), descriptor);
    }
}
