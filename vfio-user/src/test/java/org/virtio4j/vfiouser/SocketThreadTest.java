// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.pci.VirtioPciFunction;

/** Whatever is thrown on a socket's thread, and whoever interrupts it: the next client is served. */
@Timeout(60)
class SocketThreadTest {

    private static final int EIO = 5;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldServeOnWhenTheMessageListenerInterrupts(boolean descriptors) throws IOException {
        VfioUserOptions options = options(descriptors)
                .withMessageListener(() -> Thread.currentThread().interrupt());
        try (Served served = new Served(folder, options)) {
            for (int i = 0; i < 3; i++) {
                try (TestClient client = served.connect()) {
                    assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
                    assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
                }
            }
            assertEquals(3, served.socket.clients());
            assertEquals(Optional.empty(), served.socket.failure());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldResetWithoutAnInterruptThatTheMessageListenerLeft(boolean descriptors) throws IOException {
        VfioUserOptions options = options(descriptors)
                .withMessageListener(() -> Thread.currentThread().interrupt());
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("reset.sock"), options)) {
            start(socket, () -> interrupted.complete(Thread.currentThread().isInterrupted()));
            TestClient.of(socket.path()).close();
            assertEquals(false, interrupted.join());
        }
    }

    /** Serves a function whose resets end in a call of the embedder's. */
    private static void start(VfioUserSocket socket, Runnable onReset) {
        VirtioPciFunction function = function(socket);
        function.listener(new DeviceListener() {
            @Override
            public void resetCompleted(ResetKind kind) {
                onReset.run();
            }
        });
        socket.start(function);
    }

    /** The channels of java.nio are closed by an interrupt: of the listener, or of the client that is served. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldServeTheNextClientWhenSomebodyInterruptsTheThread(boolean descriptors) throws IOException {
        try (Served served = new Served(folder, options(descriptors))) {
            Thread thread = threadOf("vfio-user iommu.sock");
            try (TestClient client = served.connect()) {
                awaitIn(thread, descriptors ? "receiveOnce" : "read");
                thread.interrupt();
                assertTrue(descriptors || client.atEnd());
            }
            served.connect().close();
            for (int i = 0; i < 3; i++) {
                awaitIn(thread, descriptors ? "acceptOnce" : "implAccept");
                thread.interrupt();
                while (!descriptors && thread.isInterrupted()) {
                    Thread.onSpinWait();
                }
                awaitIn(thread, descriptors ? "acceptOnce" : "implAccept");
                try (TestClient client = served.connect()) {
                    assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
                }
            }
            assertEquals("rw-------", permissions(served.socket.path()));
            assertEquals(Optional.empty(), served.socket.failure());
        }
        assertTrue(Files.notExists(folder.resolve("iommu.sock")));
    }

    static Stream<Arguments> thrown() {
        return Stream.of(true, false).flatMap(descriptors -> Stream.of(true, false).flatMap(interrupts ->
                Stream.of(new IllegalStateException("a mistake"), new AssertionError("a mistake"),
                        new OutOfMemoryError("a mistake"), new StackOverflowError("a mistake"))
                        .map(thrown -> Arguments.of(descriptors, interrupts, thrown))));
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void shouldCutOffTheClientAtWhoseMessageTheListenerThrows(boolean descriptors, boolean interrupts,
            Throwable thrown) throws IOException {
        AtomicInteger left = new AtomicInteger();
        VfioUserOptions options = options(descriptors).withMessageListener(() -> {
            if (left.decrementAndGet() == 0) {
                interrupt(interrupts);
                Raised.raise(thrown);
            }
        });
        try (Served served = new Served(folder, options)) {
            for (int at = 1; at <= 4; at++) {
                left.set(at);
                try (TestClient client = new TestClient(served.socket.path())) {
                    for (int i = 1; i < at; i++) {
                        assertEquals(i == 1 ? 0 : TestClient.EINVAL, client.version("{}").errno());
                    }
                    client.send(TestClient.message(1, TestClient.GET_INFO, 16, 0, TestClient.body(0)));
                    assertTrue(client.atEnd());
                }
                try (TestClient next = served.connect()) {
                    assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
                }
            }
            assertSame(thrown, served.socket.failure().orElseThrow());
        }
    }

    /** An exception is answered, since a virtual CPU waits; after an error nothing is certain, so the client goes. */
    @ParameterizedTest
    @MethodSource("thrown")
    void shouldServeTheNextClientWhenTheResetThrows(boolean descriptors, boolean interrupts, Throwable thrown)
            throws IOException {
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("reset.sock"), options(descriptors))) {
            start(socket, () -> {
                interrupt(interrupts);
                Raised.raise(thrown);
            });
            try (TestClient client = TestClient.of(socket.path())) {
                if (thrown instanceof RuntimeException) {
                    assertEquals(EIO, client.request(TestClient.RESET, TestClient.body(0)).errno());
                    assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
                } else {
                    client.send(TestClient.message(1, TestClient.RESET, 16, 0, TestClient.body(0)));
                    assertTrue(client.atEnd());
                }
            }
            try (TestClient next = TestClient.of(socket.path())) {
                assertEquals(0, socket.windows());
                assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
            }
            assertSame(thrown, socket.failure().orElseThrow());
        }
    }

    @Test
    void shouldWaitOnForTheDeviceWhenTheStallListenerThrows() throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        AssertionError thrown = new AssertionError("a mistake");
        int memory = Libc.memfd(1 << 20, Libc.SEAL_SHRINK);
        VfioUserOptions options = VfioUserOptions.DEFAULT.withStallListener((holder, waitedNanos) -> {
            told.countDown();
            throw thrown;
        });
        try (Served served = new Served(folder, options); TestClient client = served.connect();
                Arena arena = Arena.ofConfined();
                DmaHandle dma = DmaSpace.identity(served.socket.memory()).open("inside")) {
            client.map(0, 1 << 20, 0, 3, memory);
            OpenThings mapped = OpenThings.now();
            dma.enter();
            dma.read(0, arena.allocate(8), 0, 8);
            CompletableFuture<TestClient.Answer> answer =
                    CompletableFuture.supplyAsync(() -> client.unmap(0, 1 << 20, 0));
            told.await();
            assertEquals(mapped.mappings(), OpenThings.now().mappings());
            dma.leave();
            assertEquals(0, answer.get().errno());
            assertEquals(mapped.mappings() - 1, OpenThings.now().mappings());
            assertSame(thrown, served.socket.failure().orElseThrow());
        } finally {
            Libc.close(memory);
        }
    }

    private static void interrupt(boolean interrupts) {
        if (interrupts) {
            Thread.currentThread().interrupt();
        }
    }

    private static Thread threadOf(String name) {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals(name))
                .findAny().orElseThrow();
    }

    /** Waits until the thread is in a method of this name: one behind which an interrupt is not lost. */
    private static void awaitIn(Thread thread, String method) {
        while (Stream.of(thread.getStackTrace()).noneMatch(frame -> frame.getMethodName().equals(method))) {
            Thread.onSpinWait();
        }
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
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
