// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vfiouser.VfioUserSocket;

/** Who keeps others from a socket is told of, once. */
@Timeout(60)
class FunctionWatchTest {

    private static final long SECOND = 1_000_000_000;
    private static final String MUTE = "rng: a client keeps others waiting: it has not said which protocol it speaks"
            + " for 5000 ms; end that client";

    @TempDir
    private Path folder;
    private long now = 17 * SECOND;
    private final Notices notices = new Notices(() -> now);
    private VfioUserSocket socket;
    private FunctionWatch watch;

    @BeforeEach
    void serve() throws IOException {
        socket = VfioUserSocket.at(folder.resolve("s"));
        socket.start(VirtioPciFunction.of(new VirtioEntropy(), DmaSpace.identity(socket.memory()),
                socket.interrupts()));
        watch = new FunctionWatch(socket, new DeviceNotices(notices, "rng"), () -> now);
    }

    @AfterEach
    void close() {
        socket.close();
    }

    @Test
    void shouldTellOnceOfEachClientThatDoesNotSpeak() throws IOException {
        assertEquals(List.of(), after(60));
        for (int i = 0; i < 2; i++) {
            try (SocketChannel mute = connect()) {
                assertEquals(List.of(), after(0));
                assertEquals(List.of(), after(4));
                assertEquals(List.of(MUTE), after(1));
                assertEquals(List.of(), after(600));
                assertTrue(mute.isConnected());
            }
            await(() -> !socket.connected());
        }
    }

    @Test
    void shouldBeginAnewWithEachClient() throws IOException {
        for (int i = 0; i < 3; i++) {
            try (SocketChannel mute = connect()) {
                assertEquals(List.of(), after(0));
                assertEquals(List.of(), after(4));
                assertTrue(mute.isConnected());
            }
            await(() -> !socket.connected());
        }
    }

    private List<String> after(int seconds) {
        now += seconds * SECOND;
        watch.look();
        return notices.due();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
        client.connect(UnixDomainSocketAddress.of(socket.path()));
        await(socket::connected);
        return client;
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }
}
