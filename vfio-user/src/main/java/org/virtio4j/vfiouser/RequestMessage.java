// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.socket.LocalConnection;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.vfiouser.MessageHeader;
import org.virtio4j.wire.vfiouser.RegionAccess;

/**
 * The message at hand, with the descriptors that came with it. The buffer is used again for each.
 *
 * <p>Header and body are received apart, so that no receiving ever takes bytes of two messages: that is how descriptors
 * find the message they belong to.
 */
final class RequestMessage {

    /** As many descriptors as clients send with one message. */
    static final int MOST_DESCRIPTORS = 16;

    /** The largest body that is used is a write of all of configuration space. */
    static final long MOST_BYTES = 8192;

    /** The longest message that the protocol has where nobody has agreed on more: 1 MiB of data for a region. */
    private static final long LONGEST = MessageHeader.SIZE + RegionAccess.DATA + (1 << 20);

    private final MemorySegment buffer;
    private final List<Descriptor> descriptors = new ArrayList<>(MOST_DESCRIPTORS);
    private long size;
    private long left;
    private boolean loss;

    RequestMessage(Arena arena) {
        buffer = arena.allocate(MOST_BYTES, Long.BYTES);
    }

    /**
     * Waits for the next message. Of one that is too long for any use no more than the header is waited for, so that it
     * can be refused at once; {@link #skip} must follow.
     *
     * @return false when the client has left
     * @throws EOFException if it left in mid-message
     */
    boolean receive(LocalConnection connection) throws IOException {
        size = 0;
        left = 0;
        if (!fill(connection, 0, MessageHeader.SIZE)) {
            return false;
        }
        size = LittleEndian.u32(buffer, MessageHeader.MESSAGE_SIZE);
        if (size > MOST_BYTES) {
            left = size - MessageHeader.SIZE;
        } else if (size > MessageHeader.SIZE && !fill(connection, MessageHeader.SIZE, size)) {
            throw new EOFException("the client left in mid-message");
        }
        loss = connection.takeLoss();
        return true;
    }

    /** Closes the descriptors that nobody took. */
    void closeDescriptors() {
        for (Descriptor descriptor : descriptors) {
            descriptor.close();
        }
        descriptors.clear();
    }

    int id() {
        return LittleEndian.u16(buffer, MessageHeader.ID);
    }

    int command() {
        return LittleEndian.u16(buffer, MessageHeader.COMMAND);
    }

    int type() {
        return LittleEndian.i32(buffer, MessageHeader.FLAGS) & MessageHeader.TYPE_MASK;
    }

    boolean wantsReply() {
        return (LittleEndian.i32(buffer, MessageHeader.FLAGS) & MessageHeader.NO_REPLY) == 0;
    }

    /** Whether the size has room for its own header. */
    boolean isSizeValid() {
        return size >= MessageHeader.SIZE;
    }

    /** Whether all of the message is here, and not the header of one that is too long for any use. */
    boolean isWhole() {
        return isSizeValid() && left == 0;
    }

    /**
     * Whether the next message can be found. It cannot behind a message whose size makes no sense, or that is longer
     * than the protocol allows: its sender may never send the rest.
     */
    boolean isLast() {
        return !isSizeValid() || size > LONGEST;
    }

    /**
     * Takes the rest of a message that was too long, without keeping it.
     *
     * @throws EOFException if the client left in mid-message
     */
    void skip(LocalConnection connection) throws IOException {
        while (left > 0) {
            long most = Math.min(left, MOST_BYTES - MessageHeader.SIZE);
            long skipped = connection.receive(buffer, MessageHeader.SIZE, most, descriptors, MOST_DESCRIPTORS);
            if (skipped == 0) {
                throw new EOFException("the client left in mid-message");
            }
            left -= skipped;
            boolean ignored = connection.takeLoss();
        }
    }

    /** Whether a descriptor of this message was lost on the way. */
    boolean lostDescriptors() {
        return loss;
    }

    /** Bytes behind the header. */
    long bodySize() {
        return size - MessageHeader.SIZE;
    }

    int u16(long at) {
        return LittleEndian.u16(buffer, MessageHeader.SIZE + at);
    }

    int i32(long at) {
        return LittleEndian.i32(buffer, MessageHeader.SIZE + at);
    }

    long u32(long at) {
        return LittleEndian.u32(buffer, MessageHeader.SIZE + at);
    }

    long i64(long at) {
        return LittleEndian.i64(buffer, MessageHeader.SIZE + at);
    }

    int u8(long at) {
        return LittleEndian.u8(buffer, MessageHeader.SIZE + at);
    }

    /** Reads 1, 2, 4 or 8 bytes, zero-extended. */
    long value(long at, int width) {
        return switch (width) {
            case Byte.BYTES -> u8(at);
            case Short.BYTES -> u16(at);
            case Integer.BYTES -> u32(at);
            default -> i64(at);
        };
    }

    int descriptorCount() {
        return descriptors.size();
    }

    /** The first descriptor, which this message still closes; null if there is none. */
    @Nullable Descriptor descriptor() {
        return descriptors.isEmpty() ? null : descriptors.getFirst();
    }

    List<Descriptor> descriptors() {
        return descriptors;
    }

    /** All descriptors, which are the caller's from now on. */
    List<Descriptor> takeDescriptors() {
        List<Descriptor> taken = List.copyOf(descriptors);
        descriptors.clear();
        return taken;
    }

    /** Fills the buffer from one offset to another; false if the client left before the first byte. */
    private boolean fill(LocalConnection connection, long from, long to) throws IOException {
        long at = from;
        while (at < to) {
            long count = connection.receive(buffer, at, to - at, descriptors, MOST_DESCRIPTORS);
            if (count == 0 && at > from) {
                throw new EOFException("the client left in mid-message");
            }
            if (count == 0) {
                return false;
            }
            at += count;
        }
        return true;
    }
}
