// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever a client sends, nothing stays behind, nothing is thrown, and the next client is served. What comes at random
 * is in {@link RandomClientTest}.
 */
@Timeout(60)
class HostileClientTest {

    private static final int EMSGSIZE = 90;
    private static final long MEMORY_SIZE = 1 << 20;

    private final int memory = Libc.memfd(MEMORY_SIZE, Libc.SEAL_SHRINK);
    private final int eventfd = Libc.eventfd();

    @TempDir
    private Path folder;
    private Served served;
    private OpenThings before;

    @BeforeEach
    void serve() throws IOException {
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
        OpenThings.awaitNoMoreThan(new OpenThings(before.descriptors() - 1, before.mappings(), before.threads() - 1));
        Libc.close(memory);
        Libc.close(eventfd);
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
    void shouldRefuseAMessageThatIsTooLongByItsHeaderAndGoOnBehindIt() {
        byte[] rest = new byte[10_000 - 16];
        try (TestClient client = served.connect()) {
            client.send(TestClient.message(9, TestClient.DMA_MAP, 10_000, 0, TestClient.body(0)), memory);
            assertEquals(EMSGSIZE, client.answer(9, TestClient.DMA_MAP).errno(), "before the rest is there");
            client.send(Arrays.copyOf(rest, 5_000), memory);
            client.send(Arrays.copyOf(rest, rest.length - 5_000));
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {(1 << 20) + 33, 1 << 24, 0x8000_0000L, 0xffff_ffffL})
    void shouldEndTheConnectionWhenAMessageIsLongerThanTheProtocolHas(long size) {
        try (TestClient client = served.connect()) {
            client.send(TestClient.message(9, TestClient.SET_IRQS, size, 0, TestClient.body(0)), eventfd);
            assertEquals(EMSGSIZE, client.answer(9, TestClient.SET_IRQS).errno());
            assertTrue(client.atEnd());
        }
        try (TestClient client = served.connect()) {
            client.send(TestClient.message(9, TestClient.REGION_WRITE, size, 0x10, TestClient.body(32)));
            assertTrue(client.atEnd(), "posted");
        }
    }

    @Test
    void shouldReadAMessageThatIsTooLongToItsEndAndGoOn() {
        try (TestClient client = served.connect()) {
            for (int size : new int[] {8192 - 16 + 1, 10_000, 1 << 20, (1 << 20) + 16}) {
                assertEquals(EMSGSIZE, client.request(TestClient.DMA_MAP, TestClient.body(size)).errno());
            }
            assertEquals(TestClient.EINVAL, client.request(TestClient.DMA_MAP, TestClient.body(8192 - 16)).errno());
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
        }
    }

    @Test
    void shouldNotWaitForTheRestOfAHugeMessageWhenTheClientLeaves() {
        try (TestClient client = served.connect()) {
            client.send(TestClient.message(9, 2, 1 << 20, 0, TestClient.body(32)), memory);
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
}
