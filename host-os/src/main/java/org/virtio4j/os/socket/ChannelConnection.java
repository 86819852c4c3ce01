// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.virtio4j.os.Descriptor;

/** A connection of {@code java.nio}. The system drops descriptors that are sent to it, and says nothing. */
final class ChannelConnection implements LocalConnection {

    private final SocketChannel channel;

    ChannelConnection(SocketChannel channel) {
        this.channel = channel;
    }

    @Override
    public long receive(MemorySegment into, long offset, long length, List<Descriptor> received, int most)
            throws IOException {
        clearInterruptFlag();
        return Math.max(0, channel.read(into.asSlice(offset, length).asByteBuffer()));
    }

    @Override
    public boolean takeLoss() {
        return false;
    }

    @Override
    public void send(MemorySegment from, long length) throws IOException {
        ByteBuffer left = from.asSlice(0, length).asByteBuffer();
        clearInterruptFlag();
        while (left.hasRemaining()) {
            channel.write(left);
        }
    }

    @Override
    public void shutdown() {
        close();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException refused) {
            // The channel is closed all the same.
        }
    }

    /** An interrupt that code of this thread left behind would close the channel, and is not meant to. */
    private static void clearInterruptFlag() {
        Thread.interrupted();
    }
}
