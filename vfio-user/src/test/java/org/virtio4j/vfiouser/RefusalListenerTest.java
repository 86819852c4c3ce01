// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RefusalListenerTest {

    private static final long SIZE = 1 << 20;

    private record Refused(String command, String errno, String reason) {
    }

    @TempDir
    private Path folder;
    private final List<Refused> heard = Collections.synchronizedList(new ArrayList<>());

    @Test
    void shouldHearNothingWhenNothingIsRefused() throws IOException {
        int memory = Libc.memfd(SIZE, Libc.SEAL_SHRINK);
        try (Served served = listening(); TestClient client = served.connect()) {
            client.map(0, SIZE, 0, 3, memory);
            client.unmap(0, SIZE, 0);
            client.unmap(0, SIZE, 0);
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
            assertEquals(List.of(), heard);
        } finally {
            Libc.close(memory);
        }
    }

    @Test
    void shouldSayWhatToChangeWhenMemoryIsNotSealed() throws IOException {
        int memory = Libc.memfd(SIZE, 0);
        try (Served served = listening(VfioUserOptions.DEFAULT.withSealedMemory(true));
                TestClient client = served.connect()) {
            client.map(0, SIZE, 0, 3, memory);
            client.map(SIZE, SIZE, 0, 3, memory);
            Refused first = next(client, 2);
            assertEquals("DMA_MAP", first.command());
            assertEquals("EINVAL", first.errno());
            assertTrue(first.reason().contains("use memory-backend-memfd"), first.reason());
            assertTrue(first.reason().contains("or set sealed-memory = no"), first.reason());
            assertEquals(first, heard.get(1), "the same words for the same fault");
        } finally {
            Libc.close(memory);
        }
    }

    @Test
    void shouldNameCommandAndErrorOfEveryRefusal() throws IOException {
        int memory = Libc.memfd(SIZE, Libc.SEAL_SHRINK);
        try (Served served = listening(); TestClient client = served.connect()) {
            client.map(0, SIZE, 0, 3, memory);
            client.map(0, SIZE, 0, 3, memory);
            assertEquals(new Refused("DMA_MAP", "EEXIST", "the window overlaps one that is there; unmap that first"),
                    next(client, 1));
            client.map(SIZE, SIZE, 0x1000, 3, memory);
            assertEquals(new Refused("DMA_MAP", "EINVAL", "the memory ends before the window does: it has 1048576"
                    + " bytes, and the window goes from 4096 on for 1048576; make it as long as RAM"), next(client, 1));
            client.unmap(0, 0x1000, 0);
            assertEquals(new Refused("DMA_UNMAP", "EINVAL", "the range has a part of a window; unmap all of it"),
                    next(client, 1));
            client.request(16, TestClient.body(16));
            assertEquals(new Refused("DEVICE_FEATURE", "EOPNOTSUPP", "this command is not supported"),
                    next(client, 1));
            client.postWrite(0, 0, 4, 0);
            assertEquals("REGION_WRITE", next(client, 1).command(), "one that is not answered");
            client.request(99, TestClient.body(9000));
            Refused unknown = next(client, 1);
            assertEquals("command 99", unknown.command());
            assertEquals("EMSGSIZE", unknown.errno());
        } finally {
            Libc.close(memory);
        }
    }

    @Test
    void shouldNotBlameThePagesForFlags() throws IOException {
        try (Served served = listening(); TestClient client = served.connect()) {
            client.unmap(0, SIZE, 4);
            assertEquals(new Refused("DMA_UNMAP", "EINVAL", "the message has flags that are not known"),
                    next(client, 1));
            client.unmap(0, SIZE, 2);
            assertEquals(new Refused("DMA_UNMAP", "EINVAL", "with the flag for all windows, address and size are 0"),
                    next(client, 1));
            client.unmap(1, SIZE, 0);
            assertTrue(next(client, 1).reason().startsWith("the range is not one of whole pages"));
        }
    }

    @Test
    void shouldNameTheVersionsWhenTheyDiffer() throws IOException {
        try (Served served = listening()) {
            try (TestClient old = new TestClient(served.socket.path())) {
                old.request(TestClient.VERSION, TestClient.body(4).putShort((short) 3).putShort((short) 1));
                assertTrue(old.atEnd());
            }
            try (TestClient client = served.connect()) {
                assertEquals(new Refused("VERSION", "EINVAL",
                        "the client speaks version 3.1 of the protocol, and there is 0.0 here"), next(client, 1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {IllegalStateException.class, AssertionError.class, OutOfMemoryError.class})
    void shouldServeTheClientOnWhenTheListenerThrows(Class<? extends Throwable> type) throws Exception {
        Throwable thrown = type.getDeclaredConstructor().newInstance();
        VfioUserOptions options = VfioUserOptions.DEFAULT.withRefusalListener((command, errno, reason) -> {
            Thread.currentThread().interrupt();
            Raised.raise(thrown);
        });
        try (Served served = new Served(folder, options); TestClient client = served.connect()) {
            assertEquals(95, client.request(16, TestClient.body(16)).errno());
            assertEquals(95, client.request(16, TestClient.body(16)).errno());
            assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
            assertSame(thrown, served.socket.failure().orElseThrow());
            assertEquals(1, served.socket.clients());
        }
    }

    private Served listening() throws IOException {
        return listening(VfioUserOptions.DEFAULT);
    }

    private Served listening(VfioUserOptions options) throws IOException {
        return new Served(folder, options.withRefusalListener(
                (command, errno, reason) -> heard.add(new Refused(command, errno, reason))));
    }

    /** The first of those that were heard since; the listener runs after the answer, but before the next one. */
    private Refused next(TestClient client, int count) {
        assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
        assertEquals(count, heard.size());
        Refused first = heard.getFirst();
        if (count == 1) {
            heard.clear();
        }
        return first;
    }
}
