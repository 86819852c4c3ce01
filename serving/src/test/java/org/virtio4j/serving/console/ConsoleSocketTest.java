// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.console;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Users who come and go at the socket of a console; the test is the console's thread. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConsoleSocketTest {

    private static final int KEPT = 1 << 16;

    @TempDir
    private Path folder;
    private Path file = Path.of("");
    private @Nullable ConsoleSocket made;

    @BeforeEach
    void open() throws IOException {
        file = folder.resolve("c.sock");
        made = ConsoleSocket.start(file, 80, 24);
    }

    @AfterEach
    void close() {
        socket().console().close();
        assertFalse(Files.exists(file));
    }

    @Test
    @DisplayName("what the guest says while nobody is there is for the first who comes: the last 64 KiB of it")
    void shouldKeepTheLastBytesForAClient() throws IOException {
        byte[] said = new byte[100_000];
        new Random(1).nextBytes(said);
        for (int at = 0; at < said.length; at += 7_777) {
            ByteBuffer some = ByteBuffer.wrap(said, at, Math.min(7_777, said.length - at));
            socket().write(some);
            assertFalse(some.hasRemaining());
        }
        try (SocketChannel client = connect()) {
            byte[] got = read(client, KEPT);
            assertArrayEquals(Arrays.copyOfRange(said, said.length - KEPT, said.length), got);
        }
    }

    @Test
    @DisplayName("a client that reads nothing is waited for, and gets every byte once")
    void shouldLoseNothingToASlowClient() throws IOException, InterruptedException {
        byte[] said = new byte[3 << 20];
        new Random(2).nextBytes(said);
        try (SocketChannel client = connect()) {
            greet(client);
            Thread guest = new Thread(() -> {
                ByteBuffer rest = ByteBuffer.wrap(said);
                while (rest.hasRemaining()) {
                    socket().write(rest);
                    Thread.onSpinWait();
                }
            }, "guest");
            guest.start();
            assertArrayEquals(said, read(client, said.length));
            guest.join();
        }
    }

    @Test
    @DisplayName("a second client is told that the console is in use, and may come when the first has gone")
    void shouldServeOneClientAtATime() throws IOException {
        try (SocketChannel first = connect()) {
            greet(first);
            try (SocketChannel second = connect()) {
                assertEquals("This console is in use.\r\n", text(read(second, 25)));
                assertEquals(-1, second.read(ByteBuffer.allocate(1)));
            }
        }
        greetUntilHeard();
    }

    @Test
    @DisplayName("what is typed waits for the guest, and the socket takes no more than the console does")
    void shouldHandOnWhatIsTyped() throws IOException {
        try (SocketChannel client = connect()) {
            client.configureBlocking(false);
            ByteBuffer typed = ByteBuffer.allocate(16 << 20);
            int written = 1;
            while (written > 0) {
                written = client.write(typed);
            }
            assertTrue(typed.position() < typed.limit());
        }
    }

    @Test
    @DisplayName("the file of a server that has ended is replaced; another server's, and what is no socket, is not")
    void shouldReplaceOnlyWhatNobodyServes() throws IOException {
        String busy = assertThrows(IOException.class, () -> ConsoleSocket.serve(file, 1, 1)).toString();
        assertTrue(busy.contains("another process serves"), busy);
        Path plain = Files.writeString(folder.resolve("plain"), "mine");
        assertThrows(IOException.class, () -> ConsoleSocket.serve(plain, 1, 1));
        assertEquals("mine", Files.readString(plain));
        Path old = folder.resolve("old");
        ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(old)).close();
        assertTrue(Files.exists(old));
        ConsoleSocket.serve(old, 1, 1).close();
        assertFalse(Files.exists(old));
    }

    @Test
    @DisplayName("only the server's own user may attach")
    void shouldBeForItsOwner() throws IOException {
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    private ConsoleSocket socket() {
        return Objects.requireNonNull(made);
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(file));
    }

    /** Returns when the client is the one that the guest talks to. */
    private void greet(SocketChannel client) throws IOException {
        socket().write(ByteBuffer.wrap(new byte[] {'!'}));
        assertEquals("!", text(read(client, 1)));
    }

    /** The end of the client before is noticed some time later. */
    private void greetUntilHeard() throws IOException {
        socket().write(ByteBuffer.wrap(new byte[] {'!'}));
        String heard = "This";
        while (heard.startsWith("T")) {
            try (SocketChannel next = connect()) {
                heard = text(read(next, 1));
            }
        }
        assertEquals("!", heard);
    }

    private static byte[] read(SocketChannel from, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining() && from.read(bytes) >= 0) {
            Thread.onSpinWait();
        }
        assertFalse(bytes.hasRemaining(), () -> "the end after " + bytes.position());
        return bytes.array();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
