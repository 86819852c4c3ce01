// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.pci.VirtioPciFunction;

/** Clients come and go, and so do servers. */
@Timeout(60)
class ClientTurnTest {

    private static final int READ_WRITE = 3;

    @TempDir
    private Path folder;
    private final OpenThings before = OpenThings.now();

    @AfterEach
    void shouldLeaveNothing() {
        OpenThings.awaitNoMoreThan(before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldListenForItsUserAlone(boolean descriptors) throws IOException {
        try (Served served = new Served(folder, options(descriptors))) {
            assertEquals("rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(served.socket.path())));
        }
        assertFalse(Files.exists(folder.resolve("iommu.sock")), "the file goes with the server");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldReplaceASocketThatNobodyServes(boolean descriptors) throws IOException {
        try (ServerSocketChannel old = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            old.bind(UnixDomainSocketAddress.of(folder.resolve("iommu.sock")));
        }
        try (Served served = new Served(folder, options(descriptors)); TestClient client = served.connect()) {
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRefuseAPathThatSomebodyServes(boolean descriptors) throws IOException {
        try (Served served = new Served(folder, options(descriptors))) {
            IOException refused = assertThrows(IOException.class, () -> new Served(folder, options(descriptors)));
            assertSays("is served by another process", refused);
            served.connect().close();
        }
    }

    @Test
    void shouldRefuseAPathWithSomethingElse() throws IOException {
        Files.writeString(folder.resolve("iommu.sock"), "precious");
        IOException refused = assertThrows(IOException.class, () -> new Served(folder));
        assertSays("is no socket", refused);
        assertEquals("precious", Files.readString(folder.resolve("iommu.sock")));
    }

    @Test
    void shouldSayWhatTheSystemRefuses() {
        IOException missing = assertThrows(IOException.class, () -> new Served(folder.resolve("missing")));
        assertSays("ENOENT", missing);
        IOException tooLong = assertThrows(IOException.class, () -> new Served(folder.resolve("x".repeat(100))));
        assertSays("at most 107", tooLong);
    }

    @Test
    void shouldKeepASecondClientInLineUntilTheFirstLeaves() throws Exception {
        try (Served served = new Served(folder)) {
            TestClient first = served.connect();
            CompletableFuture<TestClient> second = CompletableFuture.supplyAsync(served::connect);
            assertEquals(0x1af4, first.value(TestClient.CONFIG, 0, 2));
            assertFalse(second.isDone());
            assertEquals(1, served.socket.clients());
            first.close();
            try (TestClient next = second.get()) {
                assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
            }
            assertEquals(2, served.socket.clients());
        }
    }

    @Test
    void shouldGiveTheNextClientAFunctionAsAfterPowerOn() throws IOException {
        int memfd = Libc.memfd(1 << 20, Libc.SEAL_SHRINK);
        try (Served served = new Served(folder)) {
            try (TestClient first = served.connect()) {
                first.write(TestClient.CONFIG, 4, 2, 6);
                first.postWrite(4, 0x14, 1, 3);
                first.map(0, 1 << 20, 0, READ_WRITE, memfd);
                first.map(1 << 20, 1 << 20, 0, 1);
                assertEquals(3, first.value(4, 0x14, 1));
                assertTrue(served.socket.connected());
            }
            try (TestClient next = served.connect()) {
                assertEquals(0, served.socket.windows());
                assertEquals(0, served.socket.memory().map().count());
                assertEquals(0, next.value(TestClient.CONFIG, 4, 2));
                next.write(TestClient.CONFIG, 4, 2, 6);
                assertEquals(0, next.value(4, 0x14, 1));
            }
        } finally {
            Libc.close(memfd);
        }
    }

    @Test
    void shouldCutTheClientOffWhenItIsClosed() throws IOException {
        Served served = new Served(folder);
        try (TestClient client = served.connect(); TestClient waiting = new TestClient(served.socket.path())) {
            served.close();
            assertTrue(client.atEnd());
            assertTrue(waiting.atEnd());
        }
        served.close();
    }

    @Test
    void shouldCutAClientOffThatReadsNoAnswers() throws IOException {
        Served served = new Served(folder);
        try (TestClient client = served.connect()) {
            for (int i = 0; i < 300; i++) {
                client.send(TestClient.message(i, TestClient.REGION_READ, 32, 0,
                        TestClient.body(16).putLong(0).putInt(TestClient.CONFIG).putInt(256)));
            }
            served.close();
        }
        assertEquals(Optional.empty(), served.socket.failure());
    }

    @Test
    void shouldCloseWhatWasNeverStarted() throws IOException {
        VfioUserSocket socket = VfioUserSocket.at(folder.resolve("idle.sock"));
        socket.close();
        assertFalse(Files.exists(socket.path()));
    }

    @Test
    void shouldResetItsFunctionAsAMachineDoesForResetsAndForClientsThatLeave() throws IOException {
        AtomicInteger resets = new AtomicInteger();
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("reset.sock"))) {
            VirtioPciFunction function = function(socket);
            function.listener(counting(resets));
            socket.start(function);
            assertThrows(IllegalStateException.class, () -> socket.start(function));
            try (TestClient client = TestClient.of(socket.path())) {
                client.request(TestClient.RESET, TestClient.body(0));
                client.request(TestClient.RESET, TestClient.body(0));
                assertEquals(2, resets.get());
                assertEquals(TestClient.EINVAL, client.request(TestClient.RESET, TestClient.body(4)).errno());
            }
        }
        assertEquals(3, resets.get());
    }

    @Test
    void shouldResetNothingForAClientThatNeverShookHands() throws IOException {
        AtomicInteger resets = new AtomicInteger();
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("reset.sock"))) {
            VirtioPciFunction function = function(socket);
            function.listener(counting(resets));
            socket.start(function);
            new TestClient(socket.path()).close();
            TestClient.of(socket.path()).close();
        }
        assertEquals(1, resets.get());
    }

    @Test
    void shouldAnswerWithAnErrorWhenAListenerOfTheResetThrows() throws IOException {
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("reset.sock"))) {
            VirtioPciFunction function = function(socket);
            function.listener(new DeviceListener() {
                @Override
                public void resetCompleted(ResetKind kind) {
                    throw new IllegalStateException("a mistake");
                }
            });
            socket.start(function);
            try (TestClient client = TestClient.of(socket.path())) {
                assertEquals(5, client.request(TestClient.RESET, TestClient.body(0)).errno(), "EIO");
                assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
            }
            try (TestClient next = TestClient.of(socket.path())) {
                assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
            }
            assertEquals("a mistake", socket.failure().orElseThrow().getMessage());
        }
    }

    private static DeviceListener counting(AtomicInteger resets) {
        return new DeviceListener() {
            @Override
            public void resetCompleted(ResetKind kind) {
                assertEquals(ResetKind.SYSTEM, kind);
                resets.incrementAndGet();
            }
        };
    }

    private static void assertSays(String part, IOException refused) {
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.contains(part), message);
    }

    private VfioUserOptions options(boolean descriptors) {
        return descriptors ? VfioUserOptions.DEFAULT
                : VfioUserOptions.DEFAULT.withoutDescriptors(folder.resolve("guest.ram"));
    }

    private static VirtioPciFunction function(VfioUserSocket socket) {
        return VirtioPciFunction.of(VirtioIommu.builder().build(), DmaSpace.identity(socket.memory()),
                socket.interrupts());
    }
}
