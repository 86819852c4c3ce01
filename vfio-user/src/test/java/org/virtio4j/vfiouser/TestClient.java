// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The client's side of the protocol over a real socket, as QEMU speaks it. Numbers are written down here a second time.
 */
final class TestClient implements AutoCloseable {

    static final int VERSION = 1;
    static final int DMA_MAP = 2;
    static final int DMA_UNMAP = 3;
    static final int GET_INFO = 4;
    static final int GET_REGION_INFO = 5;
    static final int GET_IRQ_INFO = 7;
    static final int SET_IRQS = 8;
    static final int REGION_READ = 9;
    static final int REGION_WRITE = 10;
    static final int RESET = 13;

    static final int CONFIG = 7;

    static final int EINVAL = 22;
    static final int ENOTSUP = 95;

    /** An answer: 0 and a body, or an error number. */
    record Answer(int errno, ByteBuffer body) {
    }

    private final int fd;
    private int nextId = 1;

    TestClient(Path path) {
        fd = Libc.connect(path);
    }

    /** Connects and shakes hands. */
    static TestClient of(Path path) {
        TestClient client = new TestClient(path);
        Answer answer = client.version("{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576}}");
        if (answer.errno() != 0) {
            throw new AssertionError("version: errno " + answer.errno());
        }
        return client;
    }

    static ByteBuffer body(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    static byte[] message(int id, int command, long size, int flags, ByteBuffer body) {
        ByteBuffer whole = body(16 + body.capacity());
        whole.putShort((short) id).putShort((short) command).putInt((int) size).putInt(flags).putInt(0);
        return bytes(whole.put(bytes(body, 0)), 0);
    }

    int fd() {
        return fd;
    }

    Answer request(int command, ByteBuffer body, int... descriptors) {
        int id = nextId++ & 0xffff;
        send(message(id, command, 16L + body.capacity(), 0, body), descriptors);
        return answer(id, command);
    }

    void post(int command, ByteBuffer body, int... descriptors) {
        send(message(nextId++ & 0xffff, command, 16L + body.capacity(), 0x10, body), descriptors);
    }

    void send(byte[] bytes, int... descriptors) {
        if (Libc.send(fd, bytes, descriptors) != bytes.length) {
            throw new AssertionError("sendmsg failed");
        }
    }

    Answer answer(int id, int command) {
        ByteBuffer header = take(16);
        if ((header.getShort(0) & 0xffff) != id || (header.getShort(2) & 0xffff) != command
                || (header.getInt(8) & 0xf) != 1) {
            throw new AssertionError("id=" + header.getShort(0) + " command=" + header.getShort(2) + " flags="
                    + header.getInt(8) + " answers id=" + id + " command=" + command);
        }
        ByteBuffer body = take(header.getInt(4) - 16);
        boolean error = (header.getInt(8) & 0x20) != 0;
        if (error ? body.capacity() != 0 : header.getInt(12) != 0) {
            throw new AssertionError("an error is a header alone");
        }
        return new Answer(error ? header.getInt(12) : 0, body);
    }

    /** Whether the server has closed the connection, and sent nothing more. */
    boolean atEnd() {
        return Libc.read(fd, 1).length == 0;
    }

    Answer version(String json) {
        byte[] text = json.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer body = body(4 + text.length + 1);
        body.putShort((short) 0).putShort((short) 0).put(text);
        return request(VERSION, body);
    }

    Answer map(long address, long size, long offset, int flags, int... descriptors) {
        return request(DMA_MAP, body(32).putInt(32).putInt(flags).putLong(offset).putLong(address).putLong(size),
                descriptors);
    }

    Answer unmap(long address, long size, int flags) {
        return request(DMA_UNMAP, body(24).putInt(24).putInt(flags).putLong(address).putLong(size));
    }

    Answer setIrqs(int flags, int index, int start, int count, int... descriptors) {
        return request(SET_IRQS, body(20).putInt(20).putInt(flags).putInt(index).putInt(start).putInt(count),
                descriptors);
    }

    Answer read(int region, long offset, int count) {
        return request(REGION_READ, body(16).putLong(offset).putInt(region).putInt(count));
    }

    Answer write(int region, long offset, int width, long value) {
        return request(REGION_WRITE, writeBody(region, offset, width, value));
    }

    void postWrite(int region, long offset, int width, long value) {
        post(REGION_WRITE, writeBody(region, offset, width, value));
    }

    /** The value of a read that must succeed. */
    long value(int region, long offset, int width) {
        Answer answer = read(region, offset, width);
        if (answer.errno() != 0 || answer.body().capacity() != 16 + width) {
            throw new AssertionError("read: errno " + answer.errno());
        }
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = (value << 8) | (answer.body().get(16 + i) & 0xff);
        }
        return value;
    }

    /** Where in configuration space a capability is. */
    int capability(int id) {
        int at = (int) value(CONFIG, 0x34, 1);
        while (value(CONFIG, at, 1) != id) {
            at = (int) value(CONFIG, at + 1, 1);
        }
        return at;
    }

    @Override
    public void close() {
        Libc.close(fd);
    }

    private static ByteBuffer writeBody(int region, long offset, int width, long value) {
        ByteBuffer body = body(16 + width).putLong(offset).putInt(region).putInt(width);
        for (int i = 0; i < width; i++) {
            body.put((byte) (value >>> (8 * i)));
        }
        return body;
    }

    /** Bytes of a body, from an offset to its end. */
    static byte[] bytes(ByteBuffer body, int from) {
        byte[] bytes = new byte[body.capacity() - from];
        body.duplicate().clear().position(from).get(bytes);
        return bytes;
    }

    private ByteBuffer take(int size) {
        ByteBuffer taken = body(size);
        while (taken.hasRemaining()) {
            byte[] some = Libc.read(fd, taken.remaining());
            if (some.length == 0) {
                throw new AssertionError("the server has closed the connection");
            }
            taken.put(some);
        }
        return taken.flip();
    }
}
