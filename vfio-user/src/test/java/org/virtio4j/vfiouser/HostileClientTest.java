// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a client sends: nothing stays behind, nothing is thrown, and the next client is served. */
@Timeout(300)
class HostileClientTest {

    private static final int MESSAGES = Integer.getInteger("virtio4j.messages", 100_000);
    private static final int DISCONNECTS = Integer.getInteger("virtio4j.disconnects", 1_000);
    private static final int EMSGSIZE = 90;
    private static final long MEMORY_SIZE = 1 << 20;

    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final int memory = Libc.memfd(MEMORY_SIZE, Libc.SEAL_SHRINK);
    private final int unsealed = Libc.memfd(MEMORY_SIZE, 0);
    private final int eventfd = Libc.eventfd();

    @TempDir
    private Path folder;
    private Served served;
    private OpenThings before;

    @BeforeEach
    void serve() throws IOException {
        System.out.println("virtio4j.seed=" + seed);
        served = new Served(folder);
        before = OpenThings.now();
    }

    @AfterEach
    void shouldServeTheNextClientAndHoldNothing() {
        try (TestClient next = served.connect()) {
            assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
            assertEquals(0, served.socket.windows());
        }
        OpenThings.awaitNoMoreThan(before);
        served.close();
        assertEquals(Optional.empty(), served.socket.failure());
        OpenThings.awaitNoMoreThan(new OpenThings(before.descriptors() - 1, before.mappings(), 0));
        Libc.close(memory);
        Libc.close(unsealed);
        Libc.close(eventfd);
    }

    @Test
    void shouldAnswerEveryMessageWhateverIsInIt() {
        try (TestClient client = served.connect()) {
            for (int i = 0; i < MESSAGES; i++) {
                int command = random.nextInt(20) == 0 ? random.nextInt(0x10000) : 2 + random.nextInt(13);
                ByteBuffer body = randomBody(command);
                if (random.nextInt(4) == 0) {
                    client.post(command, body, someDescriptors());
                } else {
                    assertTrue(client.request(command, body, someDescriptors()).errno() >= 0);
                }
            }
            assertTrue(served.socket.refusals() > MESSAGES / 10);
        }
    }

    @Test
    void shouldOutliveClientsThatLeaveAtAnyPoint() {
        for (int i = 0; i < DISCONNECTS; i++) {
            try (TestClient client = random.nextInt(10) == 0
                    ? new TestClient(served.socket.path()) : served.connect()) {
                for (int left = random.nextInt(4); left > 0; left--) {
                    client.map(random.nextInt(64) * 0x1000L, 0x1000, 0, 3, memory);
                    client.setIrqs(0x24, 2, 0, 1, eventfd);
                    if (random.nextInt(8) == 0) {
                        break;
                    }
                }
                int command = 1 + random.nextInt(13);
                ByteBuffer body = randomBody(command);
                byte[] whole = TestClient.message(7, command, 16L + body.capacity(), random.nextInt(0x40), body);
                byte[] cut = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
                Libc.send(client.fd(), cut, cut.length == 0 ? new int[0] : someDescriptors());
            }
        }
        assertTrue(served.socket.clients() > 0);
    }

    @Test
    void shouldEndTheConnectionWhenASizeHasNoRoomForItsHeader() {
        for (int size = 0; size < 16; size++) {
            try (TestClient client = served.connect()) {
                client.send(TestClient.message(9, 4, size, 0, TestClient.body(0)));
                assertEquals(TestClient.EINVAL, client.answer(9, 4).errno());
                assertTrue(client.atEnd());
            }
        }
    }

    @Test
    void shouldReadAMessageThatIsTooLongToItsEndAndGoOn() {
        try (TestClient client = served.connect()) {
            for (int size : new int[] {8192 - 16 + 1, 10_000, 1 << 20}) {
                assertEquals(EMSGSIZE, client.request(TestClient.DMA_MAP, TestClient.body(size)).errno());
            }
            assertEquals(TestClient.EINVAL, client.request(TestClient.DMA_MAP, TestClient.body(8192 - 16)).errno());
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
        }
    }

    @Test
    void shouldNotWaitForTheRestOfAHugeMessageWhenTheClientLeaves() {
        try (TestClient client = served.connect()) {
            client.send(TestClient.message(9, 2, 0xffff_ffffL, 0, TestClient.body(32)), memory);
        }
    }

    @Test
    void shouldCloseDescriptorsThatNobodyWants() {
        try (TestClient client = served.connect()) {
            OpenThings connected = OpenThings.now();
            int[] many = new int[200];
            Arrays.fill(many, memory);
            assertEquals(TestClient.EINVAL, client.map(0, 0x1000, 0, 3, many).errno());
            assertEquals(TestClient.EINVAL, client.setIrqs(0x24, 2, 0, 1, many).errno());
            client.request(TestClient.GET_INFO, TestClient.body(16).putInt(16), many);
            client.post(TestClient.GET_INFO, TestClient.body(16).putInt(16), many);
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
            assertEquals(connected.descriptors(), OpenThings.now().descriptors());
        }
    }

    @Test
    void shouldKeepNoMoreDescriptorsThanAMessageMayHaveWhenItComesInPieces() {
        try (TestClient client = served.connect()) {
            OpenThings connected = OpenThings.now();
            byte[] whole = TestClient.message(9, 2, 16 + 32, 0, TestClient.body(32));
            int[] many = new int[100];
            Arrays.fill(many, eventfd);
            for (byte piece : whole) {
                client.send(new byte[] {piece}, many);
                assertTrue(OpenThings.now().descriptors() <= connected.descriptors() + 16 + many.length);
            }
            assertEquals(TestClient.EINVAL, client.answer(9, 2).errno());
            assertEquals(connected.descriptors(), OpenThings.now().descriptors());
        }
    }

    @Test
    void shouldIgnoreAnAnswerToNothing() {
        try (TestClient client = served.connect()) {
            client.send(TestClient.message(9, 11, 16, 1, TestClient.body(0)));
            client.send(TestClient.message(9, 4, 16, 0x21, TestClient.body(0)));
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
            client.send(TestClient.message(9, 4, 16, 2, TestClient.body(0)));
            assertEquals(TestClient.EINVAL, client.answer(9, 4).errno(), "a type that there is not");
        }
    }

    /** Half of the bodies are nearly right, so that something happens; the others are noise. */
    private ByteBuffer randomBody(int command) {
        if (random.nextInt(8) == 0) {
            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            return TestClient.body(noise.length).put(noise);
        }
        return switch (command) {
            case TestClient.VERSION -> TestClient.body(7).putInt(0).put((byte) '{').put((byte) '}');
            case TestClient.DMA_MAP -> TestClient.body(32).putInt(32).putInt(random.nextInt(5))
                    .putLong(pages(4)).putLong(pages(64)).putLong(pages(16));
            case TestClient.DMA_UNMAP -> TestClient.body(24).putInt(24).putInt(random.nextInt(4))
                    .putLong(pages(64)).putLong(pages(64));
            case TestClient.GET_REGION_INFO, TestClient.GET_IRQ_INFO -> TestClient.body(32).putInt(32).putInt(0)
                    .putInt(random.nextInt(12) - 1);
            case TestClient.SET_IRQS -> TestClient.body(20).putInt(20).putInt(random.nextInt(64))
                    .putInt(random.nextInt(6)).putInt(random.nextInt(4)).putInt(random.nextInt(4));
            case TestClient.REGION_READ -> access(0);
            case TestClient.REGION_WRITE -> access(1 << random.nextInt(4));
            case TestClient.RESET -> TestClient.body(0);
            default -> TestClient.body(16).putInt(16);
        };
    }

    private ByteBuffer access(int data) {
        int count = data == 0 ? 1 << random.nextInt(4) : data;
        int region = random.nextInt(3) == 0 ? TestClient.CONFIG : random.nextInt(3) == 0 ? random.nextInt(10) : 4;
        long offset = region == 4 && random.nextBoolean() ? random.nextInt(0x40) : random.nextInt(0x4010);
        ByteBuffer body = TestClient.body(16 + data).putLong(offset & -count).putInt(region).putInt(count);
        while (body.hasRemaining()) {
            body.put((byte) random.nextInt(random.nextBoolean() ? 8 : 256));
        }
        return body;
    }

    private long pages(int most) {
        return random.nextInt(20) == 0 ? random.nextLong() : random.nextInt(most) * 0x1000L;
    }

    private int[] someDescriptors() {
        return switch (random.nextInt(8)) {
            case 0 -> new int[] {unsealed};
            case 1, 2 -> new int[] {memory};
            case 3 -> new int[] {eventfd, eventfd};
            case 4 -> new int[] {eventfd};
            case 5 -> new int[] {memory, eventfd, unsealed};
            default -> new int[0];
        };
    }
}
