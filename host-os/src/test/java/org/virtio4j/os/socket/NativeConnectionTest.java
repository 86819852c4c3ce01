// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the system is given an address of lies in the memory that the caller has, whatever the caller says. */
class NativeConnectionTest {

    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    private @Nullable Path folder;

    /** A connection and the other end of it. */
    private interface Use {
        void use(LocalConnection connection, SocketChannel peer) throws IOException;
    }

    @BeforeEach
    void needNativeAccess() {
        assumeTrue(LocalSockets.takeDescriptors());
    }

    @Test
    void shouldCarryBytesBothWays() throws IOException {
        connected((connection, peer) -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(8).fill((byte) 7);
                connection.send(memory, 8);
                ByteBuffer seen = ByteBuffer.allocate(8);
                while (seen.hasRemaining()) {
                    peer.read(seen);
                }
                assertEquals(7, seen.get(7));
                peer.write(ByteBuffer.wrap(new byte[] {1, 2}));
                assertEquals(2, receive(connection, memory, 6, 2));
                assertEquals(0x0201_0707_0707_0707L, memory.get(LONG, 0));
            }
        });
    }

    @Test
    void shouldRefuseMemoryThatIsNotThere() throws IOException {
        connected((connection, peer) -> {
            peer.write(ByteBuffer.allocate(64));
            MemorySegment closed;
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(8);
                closed = memory;
                for (long[] part : new long[][] {{0, 9}, {8, 1}, {-1, 2}, {4, 5}, {0, -1}, {1, Long.MAX_VALUE}}) {
                    assertThrows(IndexOutOfBoundsException.class,
                            () -> receive(connection, memory, part[0], part[1]));
                }
                assertThrows(IndexOutOfBoundsException.class, () -> connection.send(memory, 9));
                for (MemorySegment bad : List.of(MemorySegment.ofArray(new byte[8]), memory.asReadOnly())) {
                    assertThrows(IllegalArgumentException.class, () -> receive(connection, bad, 0, 1));
                }
                assertThrows(RuntimeException.class, () -> connection.send(MemorySegment.ofArray(new byte[8]), 8));
            }
            assertThrows(IllegalArgumentException.class, () -> receive(connection, closed, 0, 8));
            assertThrows(IllegalStateException.class, () -> connection.send(closed, 8));
        });
    }

    private static long receive(LocalConnection connection, MemorySegment into, long offset, long length) {
        try {
            return connection.receive(into, offset, length, new ArrayList<>(), 0);
        } catch (IOException broken) {
            throw new AssertionError(broken);
        }
    }

    private void connected(Use use) throws IOException {
        Path path = Objects.requireNonNull(folder).resolve("s");
        LocalListener listener = LocalSockets.listen(path, true);
        try (SocketChannel peer = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            peer.connect(UnixDomainSocketAddress.of(path));
            LocalConnection connection = listener.accept();
            try {
                use.use(connection, peer);
            } finally {
                connection.close();
            }
        } finally {
            listener.close();
        }
    }
}
