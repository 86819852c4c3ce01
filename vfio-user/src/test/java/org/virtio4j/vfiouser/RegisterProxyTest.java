// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.vfiouser.proxy.Change;
import org.virtio4j.vfiouser.proxy.RegisterProxy;

/** The proxy between this test's client and a real server. */
@Timeout(60)
class RegisterProxyTest {

    private static final int BAR = 4;
    private static final int COMMAND = 4;
    private static final int MEMORY_AND_MASTER = 6;
    private static final int STATUS = 0x14;

    @TempDir
    private Path folder;
    private Served served;
    private @Nullable RegisterProxy proxy;
    private final List<String> lines = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void serve() throws IOException {
        served = new Served(folder);
    }

    @AfterEach
    void close() throws IOException {
        if (proxy != null) {
            proxy.close();
        }
        served.close();
    }

    @Test
    void shouldWriteEachRegisterAccessDownWithItsName() {
        try (TestClient client = through()) {
            client.read(TestClient.CONFIG, 0, 256);
            client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
            client.postWrite(BAR, STATUS, 1, 1);
            client.value(BAR, 0x24, 4);
            client.value(BAR, 0x2000 + 36, 1);
            client.postWrite(BAR, 0x3004, 2, 1);
        }
        awaitEnd();
        assertLine("write config:0x04   command = 0x0006");
        assertLine("write bar4:0x14     device_status = 0x01");
        assertLine("read  bar4:0x24     queue_desc+4 = 0x00000000");
        assertLine("read  bar4:0x2024   iommu.bypass = 0x01");
        assertLine("write bar4:0x3004   notify[1] = 0x0001");
    }

    @Test
    void shouldFindTheTableAndThePendingBitsWhereTheCapabilitySays() {
        int bar = 0;
        try (TestClient client = through()) {
            client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
            client.read(TestClient.CONFIG, 0, 256);
            for (int at = (int) client.value(TestClient.CONFIG, 0x34, 1); at != 0;
                    at = (int) client.value(TestClient.CONFIG, at + 1, 1)) {
                if (client.value(TestClient.CONFIG, at, 1) == 0x11) {
                    bar = (int) client.value(TestClient.CONFIG, at + 4, 4) & 7;
                    client.value(TestClient.CONFIG, at + 2, 2);
                }
            }
            client.value(bar, 0x1c, 4);
            client.value(bar, 0x800, 8);
        }
        awaitEnd();
        assertLine("read  bar" + bar + ":0x1c     msix[1].vector_control = 0x");
        assertLine("read  bar" + bar + ":0x800    pending_bits = 0x0000000000000000");
        assertTrue(lines.stream().anyMatch(line -> line.contains("msix.message_control = 0x0002")), lines.toString());
    }

    @Test
    void shouldChangeAValueOfARegisterAndNoOther() {
        try (TestClient client = through("write device_status 2 becomes 3")) {
            client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
            client.write(BAR, STATUS, 1, 1);
            assertEquals(1, client.value(BAR, STATUS, 1));
            client.write(BAR, STATUS, 1, 2);
            assertEquals(3, client.value(BAR, STATUS, 1));
        }
        awaitEnd();
        assertLine("write bar4:0x14     device_status = 0x01");
        assertLine("write bar4:0x14     device_status = 0x02, changed to 0x03");
    }

    @Test
    void shouldChangeEachByteOfARangeAndNoneBesideIt() {
        try (TestClient client = through("read config:0x2-0x33 becomes 0xff", "read config:0x34 becomes 0")) {
            byte[] all = TestClient.bytes(client.read(TestClient.CONFIG, 0, 64).body(), 16);
            for (int at = 0; at < all.length; at++) {
                boolean inside = at >= 2 && at <= 0x33;
                assertEquals((byte) (inside ? 0xff : served.function.readConfig(at, 1)), all[at], "byte " + at);
            }
            assertEquals(0xffff_1af4L, client.value(TestClient.CONFIG, 0, 4));
            assertEquals(0, client.value(TestClient.CONFIG, 0x34, 1), "a register by its place");
        }
    }

    @Test
    void shouldPassDescriptorsThrough() {
        int memory = Libc.memfd(1 << 20, Libc.SEAL_SHRINK);
        int eventfd = Libc.eventfd();
        try (TestClient client = through()) {
            assertEquals(0, client.map(0, 1 << 20, 0, 3, memory).errno());
            assertEquals(0, client.setIrqs(0x24, 2, 0, 1, eventfd).errno());
            served.socket.interrupts().vectors().orElseThrow().raise(0);
            assertEquals(8, Libc.read(eventfd, 8).length, "signalled");
            assertEquals(1, served.socket.memory().map().count());
        }
        awaitEnd();
        assertLine("DMA_MAP 0x0, 0x100000 bytes, 1 descriptor");
        assertLine("DEVICE_SET_IRQS index 2, flags 0x24, 1 from 0, 1 descriptor");
        Libc.close(memory);
        Libc.close(eventfd);
    }

    @Test
    void shouldSayWhatWasRefused() {
        try (TestClient client = through()) {
            client.read(BAR, 1 << 20, 4);
            client.request(TestClient.GET_IRQ_INFO, TestClient.body(16).putInt(16).putInt(0).putInt(3));
            client.value(TestClient.CONFIG, 0x30, 4);
        }
        awaitEnd();
        assertLine("DEVICE_GET_IRQ_INFO 3");
        assertLine("refused with EINVAL: DEVICE_GET_IRQ_INFO 3");
        assertLine("read  config:0x30   expansion_rom = 0x00000000");
        assertLine("refused with EINVAL: REGION_READ bar4:0x100000, 4 bytes");
    }

    @Test
    void shouldPassOnWhatItCannotUnderstandAndTheEndOfTheConnection() {
        try (TestClient client = through()) {
            client.send(TestClient.message(9, 4, 7, 0, TestClient.body(0)));
            assertEquals(TestClient.EINVAL, client.answer(9, 4).errno());
            assertTrue(client.atEnd());
        }
        awaitEnd();
        try (TestClient next = TestClient.of(folder.resolve("proxy.sock"))) {
            assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2));
        }
    }

    @Test
    void shouldLetTheClientGoWhenTheServerEnds() {
        try (TestClient client = through()) {
            served.close();
            assertTrue(client.atEnd());
        }
        awaitEnd();
        try (TestClient nobody = new TestClient(folder.resolve("proxy.sock"))) {
            assertTrue(nobody.atEnd());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "status 2 becomes 3", "write becomes 3", "write device_status 2 3",
        "write device_status becomes", "write device_status two becomes 3", "read config:8-4 becomes 0",
        "read config:4-8 1 becomes 0", "write device_status 2 becomes 3 4", "read config:x becomes 1"})
    void shouldRefuseAChangeThatCannotBeRead(String text) {
        IllegalArgumentException said = assertThrows(IllegalArgumentException.class, () -> Change.parse(text));
        assertTrue(said.toString().contains("found '" + text + "'"), said.toString());
    }

    private TestClient through(String... changes) {
        Path path = folder.resolve("proxy.sock");
        proxy = new RegisterProxy(path, served.socket.path(), lines::add, () -> 0,
                Arrays.stream(changes).map(Change::parse).toList());
        return TestClient.of(path);
    }

    /** The proxy says so when it has passed everything on. */
    private void awaitEnd() {
        while (!lines.contains("the client has left")) {
            Thread.onSpinWait();
        }
    }

    private void assertLine(String expected) {
        String line = "    0.000  " + expected;
        boolean there = lines.stream().anyMatch(each -> expected.endsWith("0x") ? each.startsWith(line)
                : each.equals(line));
        assertTrue(there, () -> "no '" + line + "' in\n" + String.join("\n", lines));
    }
}
