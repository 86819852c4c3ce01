// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.os.Descriptor;
import org.virtio4j.vmm.os.LocalConnection;
import org.virtio4j.wire.vfiouser.MessageHeader;

/**
 * The message at hand, with the descriptors that came with it. The buffer is used again for each.
 *
 * <p>Header and body are received apart, so that no receiving ever takes bytes of two messages: that is how descriptors
 * find the message they belong to.
 */
final class Request {

    /** As many descriptors as QEMU sends with one message. */
    static final int MOST_DESCRIPTORS = 16;

    /** The largest body we have a use for is a write of all of configuration space. */
    static final long MOST_BYTES = 8192;

    private final MemorySegment buffer;
    private final List<Descriptor> descriptors = new ArrayList<>(MOST_DESCRIPTORS);
    private long size;
    private boolean whole;
    private boolean loss;

    Request(Arena arena) {
        buffer = arena.allocate(MOST_BYTES, Long.BYTES);
    }

    /**
     * Waits for the next message. One that is too long for any use is read to its end, but not kept; one whose size
     * makes no sense is the last, since nobody knows where the next begins.
     *
     * @return false when the client has left
     * @throws EOFException if it left in mid-message
     */
    boolean receive(LocalConnection connection) throws IOException {
        size = 0;
        whole = false;
        if (!fill(connection, 0, MessageHeader.SIZE)) {
            return false;
        }
        size = LittleEndian.u32(buffer, MessageHeader.MESSAGE_SIZE);
        long kept = Math.min(size, MOST_BYTES);
        if (kept > MessageHeader.SIZE && !fill(connection, MessageHeader.SIZE, kept)) {
            throw new EOFException("the client left in mid-message");
        }
        if (size > MOST_BYTES) {
            skip(connection, size - MOST_BYTES);
        }
        whole = isSizeValid() && size <= MOST_BYTES;
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

    /** Whether all of the message is here. */
    boolean isWhole() {
        return whole;
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

    /** The first descriptor, which stays ours; null if there is none. */
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

    private void skip(LocalConnection connection, long count) throws IOException {
        long left = count;
        while (left > 0) {
            long most = Math.min(left, MOST_BYTES - MessageHeader.SIZE);
            long skipped = connection.receive(buffer, MessageHeader.SIZE, most, descriptors, MOST_DESCRIPTORS);
            if (skipped == 0) {
                throw new EOFException("the client left in mid-message");
            }
            left -= skipped;
        }
    }
}
