// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser.proxy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vfiouser.Libc;
import org.virtio4j.wire.vfiouser.MessageHeader;

/** A message on its way, with the descriptors that travel with it. */
final class Message {

    /** Longer ones are passed on without being looked at: a megabyte of data is the most that anybody agrees on. */
    private static final long MOST_BYTES = (1 << 20) + 4096;

    private final List<Integer> descriptors = new ArrayList<>();
    private ByteBuffer bytes = ByteBuffer.allocate(0);

    private Message() {
    }

    /** Waits for the next one; null when the sender has left, be it in mid-message. */
    static @Nullable Message receive(int from) {
        Message message = new Message();
        if (!message.fill(from, (int) MessageHeader.SIZE)) {
            message.close();
            return null;
        }
        if (message.isWhole() && !message.fill(from, (int) message.size())) {
            message.close();
            return null;
        }
        return message;
    }

    /** Whether all of it is here; else it is the header of one that is too long, or has a size that makes no sense. */
    boolean isWhole() {
        return size() >= MessageHeader.SIZE && size() <= MOST_BYTES;
    }

    long size() {
        return Integer.toUnsignedLong(bytes.getInt((int) MessageHeader.MESSAGE_SIZE));
    }

    int id() {
        return Short.toUnsignedInt(bytes.getShort((int) MessageHeader.ID));
    }

    int command() {
        return Short.toUnsignedInt(bytes.getShort((int) MessageHeader.COMMAND));
    }

    boolean isReply() {
        return (bytes.getInt((int) MessageHeader.FLAGS) & MessageHeader.TYPE_MASK) == MessageHeader.TYPE_REPLY;
    }

    boolean wantsReply() {
        return (bytes.getInt((int) MessageHeader.FLAGS) & MessageHeader.NO_REPLY) == 0;
    }

    /** The error number of a reply, 0 for none. */
    int errno() {
        boolean error = (bytes.getInt((int) MessageHeader.FLAGS) & MessageHeader.ERROR) != 0;
        return error ? bytes.getInt((int) MessageHeader.ERRNO) : 0;
    }

    int descriptorCount() {
        return descriptors.size();
    }

    /** What is behind the header: changes in it are changes of the message. */
    ByteBuffer body() {
        int header = (int) MessageHeader.SIZE;
        return bytes.slice(header, bytes.capacity() - header).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Sends it and closes its descriptors; false if nobody is there any more. */
    boolean send(int to) {
        try {
            return sendAll(to, bytes.array(), descriptors);
        } finally {
            close();
        }
    }

    /** Passes bytes and descriptors on as they come, until the sender leaves. */
    static void copy(int from, int to) {
        while (true) {
            List<Integer> along = new ArrayList<>();
            byte[] some = Libc.receive(from, 1 << 16, along);
            boolean sent = some.length > 0 && sendAll(to, some, along);
            along.forEach(Libc::close);
            if (!sent) {
                return;
            }
        }
    }

    private void close() {
        descriptors.forEach(Libc::close);
        descriptors.clear();
    }

    /** The descriptors go with the first byte. */
    private static boolean sendAll(int to, byte[] bytes, List<Integer> along) {
        int[] fds = along.stream().mapToInt(Integer::intValue).toArray();
        int sent = (int) Libc.send(to, bytes, fds);
        while (sent >= 0 && sent < bytes.length) {
            byte[] rest = Arrays.copyOfRange(bytes, sent, bytes.length);
            int more = (int) Libc.send(to, rest);
            sent = more < 0 ? more : sent + more;
        }
        return sent >= 0;
    }

    private boolean fill(int from, int size) {
        ByteBuffer filled = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).put(bytes.clear());
        while (filled.hasRemaining()) {
            byte[] some = Libc.receive(from, filled.remaining(), descriptors);
            if (some.length == 0) {
                return false;
            }
            filled.put(some);
        }
        bytes = filled;
        return true;
    }
}
