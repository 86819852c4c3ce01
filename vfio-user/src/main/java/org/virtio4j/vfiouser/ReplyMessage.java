// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.os.socket.LocalConnection;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.vfiouser.MessageHeader;

/** The answer to the request at hand: a body, or an error number without one. The buffer is used again for each. */
final class ReplyMessage {

    private final MemorySegment buffer;
    private long bodySize;
    private String reason = "";

    ReplyMessage(Arena arena) {
        buffer = arena.allocate(RequestMessage.MOST_BYTES, Long.BYTES);
    }

    /** Begins an answer with a body of zeros. */
    void body(long size) {
        bodySize = size;
        buffer.asSlice(MessageHeader.SIZE, size).fill((byte) 0);
    }

    /** Keeps why a command is refused, for the listener; returns the error number. */
    int refuse(int errno, String why) {
        reason = why;
        return errno;
    }

    /** Why the last refused command was refused; each reason is asked for once. Empty if none was given. */
    String takeReason() {
        String taken = reason;
        reason = "";
        return taken;
    }

    void putU16(long at, int value) {
        LittleEndian.putU16(buffer, MessageHeader.SIZE + at, value);
    }

    void putI32(long at, int value) {
        LittleEndian.putI32(buffer, MessageHeader.SIZE + at, value);
    }

    void putI64(long at, long value) {
        LittleEndian.putI64(buffer, MessageHeader.SIZE + at, value);
    }

    /** Writes 1, 2, 4 or 8 bytes. */
    void putValue(long at, int width, long value) {
        switch (width) {
            case Byte.BYTES -> putU8(at, (int) value);
            case Short.BYTES -> putU16(at, (int) value);
            case Integer.BYTES -> putI32(at, (int) value);
            default -> putI64(at, value);
        }
    }

    void putU8(long at, int value) {
        LittleEndian.putU8(buffer, MessageHeader.SIZE + at, value);
    }

    /** Sends it; with an error number other than 0 the header goes alone. */
    void send(LocalConnection connection, RequestMessage request, int errno) throws IOException {
        long size = MessageHeader.SIZE + (errno == 0 ? bodySize : 0);
        LittleEndian.putU16(buffer, MessageHeader.ID, request.id());
        LittleEndian.putU16(buffer, MessageHeader.COMMAND, request.command());
        LittleEndian.putI32(buffer, MessageHeader.MESSAGE_SIZE, (int) size);
        LittleEndian.putI32(buffer, MessageHeader.FLAGS,
                MessageHeader.TYPE_REPLY | (errno == 0 ? 0 : MessageHeader.ERROR));
        LittleEndian.putI32(buffer, MessageHeader.ERRNO, errno);
        connection.send(buffer, size);
    }
}
