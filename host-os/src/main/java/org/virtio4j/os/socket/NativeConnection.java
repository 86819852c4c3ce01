// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.IoVector;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/** A connection of the operating system, whose messages bring descriptors along ({@code SCM_RIGHTS}). */
final class NativeConnection implements LocalConnection {

    /** As many descriptors as the system lets one message carry, so that all are found and none stays open unseen. */
    private static final int MOST_AT_ONCE = 253;
    private static final long CONTROL_SIZE = SocketLayout.CMSG_DATA + MOST_AT_ONCE * Integer.BYTES + Integer.BYTES;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final NativeSocket socket;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment message = arena.allocate(SocketLayout.MSG_SIZE, Long.BYTES);
    private final MemorySegment vector = arena.allocate(IoVector.SIZE, Long.BYTES);
    private final MemorySegment control = arena.allocate(CONTROL_SIZE, Long.BYTES);
    private boolean loss;
    private boolean closed;

    NativeConnection(NativeSocket socket) {
        this.socket = socket;
    }

    @Override
    public long receive(MemorySegment into, long offset, long length, List<Descriptor> received, int most)
            throws NativeFailureException {
        vector.set(LONG, IoVector.BASE, address(into, offset, length));
        vector.set(LONG, IoVector.LENGTH, length);
        long count;
        do {
            // The system stores into these fields, so each call fills them again.
            message.set(LONG, SocketLayout.MSG_IOV, vector.address());
            message.set(LONG, SocketLayout.MSG_IOVLEN, 1);
            message.set(LONG, SocketLayout.MSG_CONTROL, control.address());
            message.set(LONG, SocketLayout.MSG_CONTROLLEN, CONTROL_SIZE);
            message.set(INT, SocketLayout.MSG_FLAGS, 0);
            count = receiveOnce();
        } while (count < 0 && NativeCall.errno() == Errno.EINTR);
        if (count < 0) {
            throw new NativeFailureException("recvmsg", NativeCall.errno());
        }
        takeDescriptors(received, most);
        return count;
    }

    @Override
    public boolean takeLoss() {
        boolean taken = loss;
        loss = false;
        return taken;
    }

    @Override
    public void send(MemorySegment from, long length) throws NativeFailureException {
        long sent = 0;
        while (sent < length) {
            long count = sendOnce(from, sent, length - sent);
            if (count >= 0) {
                sent += count;
            } else if (NativeCall.errno() != Errno.EINTR) {
                throw new NativeFailureException("send", NativeCall.errno());
            }
        }
    }

    @Override
    public void shutdown() {
        socket.shutdown();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            socket.close();
            arena.close();
        }
    }

    private void takeDescriptors(List<Descriptor> received, int most) {
        loss |= (message.get(INT, SocketLayout.MSG_FLAGS) & SocketLayout.MSG_CTRUNC) != 0;
        long end = Math.min(message.get(LONG, SocketLayout.MSG_CONTROLLEN), CONTROL_SIZE);
        long at = 0;
        while (end - at >= SocketLayout.CMSG_DATA) {
            long length = control.get(LONG, at + SocketLayout.CMSG_LEN);
            if (length < SocketLayout.CMSG_DATA || length > end - at) {
                return;
            }
            if (control.get(INT, at + SocketLayout.CMSG_LEVEL) == SocketLayout.SOL_SOCKET
                    && control.get(INT, at + SocketLayout.CMSG_TYPE) == SocketLayout.SCM_RIGHTS) {
                takeRights(at + SocketLayout.CMSG_DATA, at + length, received, most);
            }
            at += (length + SocketLayout.CMSG_ALIGNMENT - 1) & -SocketLayout.CMSG_ALIGNMENT;
        }
    }

    private void takeRights(long start, long end, List<Descriptor> received, int most) {
        for (long at = start; at <= end - Integer.BYTES; at += Integer.BYTES) {
            int number = control.get(INT, at);
            if (received.size() < most) {
                received.add(new Descriptor(number));
            } else {
                Descriptor.release(number);
                loss = true;
            }
        }
    }

    /** The system stores to this address unasked, so it is made of memory that is there. */
    private static long address(MemorySegment memory, long offset, long length) {
        if (!memory.isNative() || memory.isReadOnly() || !memory.scope().isAlive()) {
            throw new IllegalArgumentException("into=" + memory + ", but native memory is needed that is open and may"
                    + " be written");
        }
        Objects.checkFromIndexSize(offset, length, memory.byteSize());
        return memory.address() + offset;
    }

    private long receiveOnce() {
        try {
            return (long) NativeSocket.Calls.RECVMSG.invokeExact(NativeCall.state(), socket.number(), message,
                    SocketLayout.MSG_CMSG_CLOEXEC);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    private long sendOnce(MemorySegment from, long offset, long length) {
        try {
            return (long) NativeSocket.Calls.SEND.invokeExact(NativeCall.state(), socket.number(),
                    from.asSlice(offset, length), length, SocketLayout.MSG_NOSIGNAL);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }
}
