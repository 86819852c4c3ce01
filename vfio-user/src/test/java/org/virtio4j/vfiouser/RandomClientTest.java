// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A million messages in ten thousand conversations, each of which ends at some point: in between, in mid-message, with
 * answers not read or half read. Every message is answered that has to be, nothing is thrown, the next client is
 * served, and at the end no more is held than after the first tenth: no descriptor, mapping, thread or memory.
 */
@Timeout(900)
class RandomClientTest {

    private static final int MESSAGES = Integer.getInteger("virtio4j.messages", 1_000_000);
    private static final int DISCONNECTS = Integer.getInteger("virtio4j.disconnects", 10_000);

    /** How the guest's memory comes, and which part of the messages is sent in this way. */
    enum Kind {
        DESCRIPTORS(1), MEMORY_FILE(10), NO_DESCRIPTORS(10);

        private final int share;

        Kind(int share) {
            this.share = share;
        }

        private VfioUserOptions options(Path file) {
            return switch (this) {
                case DESCRIPTORS -> VfioUserOptions.DEFAULT;
                case MEMORY_FILE -> VfioUserOptions.DEFAULT.withMemoryFile(file);
                case NO_DESCRIPTORS -> VfioUserOptions.DEFAULT.withoutDescriptors(file);
            };
        }
    }

    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final int unsealed = Libc.memfd(RandomMemory.SIZE, 0);
    private final int eventfd = Libc.eventfd();
    private final Queue<Throwable> thrown = new ConcurrentLinkedQueue<>();

    @TempDir
    private Path folder;

    @BeforeEach
    void watch() {
        System.out.println("virtio4j.seed=" + seed);
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> thrown.add(failure));
    }

    @AfterEach
    void close() {
        Thread.setDefaultUncaughtExceptionHandler(null);
        Libc.close(unsealed);
        Libc.close(eventfd);
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldNothingAfterClientsThatSayAnythingAndLeaveAtAnyPoint(Kind kind) throws IOException {
        Path file = folder.resolve("guest.ram");
        try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(RandomMemory.SIZE);
        }
        int memory = kind == Kind.DESCRIPTORS ? Libc.memfd(RandomMemory.SIZE, Libc.SEAL_SHRINK) : Libc.open(file);
        RandomMemory.fill(memory, random);
        try (Served served = new Served(folder, kind.options(file))) {
            OpenThings before = OpenThings.now();
            converse(served, memory, MESSAGES / kind.share / 10, DISCONNECTS / kind.share / 10);
            served.connect().close();
            OpenThings.awaitNoMoreThan(before);
            HeldMemory held = HeldMemory.now();

            converse(served, memory, MESSAGES / kind.share, DISCONNECTS / kind.share);
            try (TestClient next = served.connect()) {
                assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
                assertEquals(0, served.socket.windows());
                assertEquals(0, next.value(TestClient.CONFIG, 4, 2), "command register");
            }
            OpenThings.awaitNoMoreThan(before);
            held.awaitNoMore();
            assertEquals(Optional.empty(), served.socket.failure());
            assertEquals(List.of(), List.copyOf(thrown));
            assertTrue(served.socket.refusals() > MESSAGES / kind.share / 10);
        } finally {
            Libc.close(memory);
        }
    }

    /** So many messages and clients, the messages spread over the clients. Some clients wait in line meanwhile. */
    private void converse(Served served, int memory, int messages, int clients) {
        RandomMessages source = new RandomMessages(random, memory, unsealed, eventfd);
        TestClient client = new TestClient(served.socket.path());
        int sent = 0;
        for (int i = 0; i < clients || sent < messages; i++) {
            RandomClient talker = new RandomClient(client, random, source);
            if (random.nextInt(20) != 0) {
                client.version("{}");
                if (random.nextInt(4) == 0) {
                    talker.start(memory);
                }
            }
            int share = Math.max(1, (messages - sent) / Math.max(1, clients - i));
            sent += talker.talk(i + 1 < clients ? random.nextInt(2 * share + 1) : share);
            if (random.nextInt(8) == 0) {
                new TestClient(served.socket.path()).close();
            }
            TestClient next = new TestClient(served.socket.path());
            talker.leave();
            client.close();
            client = next;
        }
        client.close();
    }
}
