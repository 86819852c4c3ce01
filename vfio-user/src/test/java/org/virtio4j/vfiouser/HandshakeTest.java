// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HandshakeTest extends ServedTest {

    @Override
    TestClient connect(Served with) {
        return new TestClient(with.socket.path());
    }

    @Test
    void shouldAnswerWithVersionAndCapabilitiesWhenThereIsRoom() {
        String question = "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"pgsizes\":4096}}";
        TestClient.Answer answer = client.version(question);

        assertEquals(0, answer.errno());
        assertEquals(0, answer.body().getInt(0), "version 0.0");
        assertEquals("{\"capabilities\":{\"max_msg_fds\":16,\"max_dma_maps\":65535}}\0", text(answer.body()));
    }

    @Test
    void shouldNotAnswerLongerThanAskedWhenThereIsLittleRoom() {
        assertEquals(4, client.version("{}").body().capacity());
    }

    @Test
    void shouldTakeAVersionWithoutText() {
        assertEquals(4, client.request(TestClient.VERSION, TestClient.body(4)).body().capacity());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 0xffff})
    @DisplayName("Connection Initiation: the server closes the connection if it cannot support the version")
    void shouldPartWhenTheMajorVersionIsAnother(int major) {
        ByteBuffer body = TestClient.body(8).putShort((short) major);
        assertEquals(TestClient.EINVAL, client.request(TestClient.VERSION, body).errno());
        assertTrue(client.atEnd());
        try (TestClient next = served.connect()) {
            assertEquals(0x1af4, next.value(TestClient.CONFIG, 0, 2), "it was in nobody's way");
        }
    }

    @Test
    void shouldTellAClientThatSpeaksFromOneThatIsMute() {
        assertFalse(served.socket.greeted());
        assertEquals(TestClient.EINVAL, client.request(TestClient.GET_INFO, TestClient.body(16)).errno());
        assertTrue(served.socket.connected());
        assertFalse(served.socket.greeted());
        client.version("{}");
        assertTrue(served.socket.greeted());
    }

    @Test
    void shouldRefuseWhenTheTextHasNoEnd() {
        ByteBuffer body = TestClient.body(6).putInt(0).put((byte) '{').put((byte) '}');
        assertEquals(TestClient.EINVAL, client.request(TestClient.VERSION, body).errno());
        assertEquals(0, client.version("{}").errno(), "and then take one that has");
    }

    @Test
    void shouldRefuseEverythingElseBeforeTheVersion() {
        for (int command = 2; command < 20; command++) {
            assertEquals(TestClient.EINVAL, client.request(command, TestClient.body(32).putInt(32)).errno());
        }
        assertEquals(0, served.socket.windows());
    }

    @Test
    void shouldRefuseASecondVersion() {
        client.version("{}");
        assertEquals(TestClient.EINVAL, client.version("{}").errno());
    }

    @Test
    void shouldRefuseWhatItDoesNotKnowAndGoOn() {
        client.version("{}");
        for (int command : new int[] {0, 11, 12, 19, 255, 65_535}) {
            assertEquals(TestClient.EINVAL, errno(command), "command " + command);
        }
        for (int command : new int[] {6, 14, 15, 16, 17, 18}) {
            assertEquals(TestClient.ENOTSUP, errno(command), "command " + command);
        }
        assertEquals(0, client.request(TestClient.GET_INFO, TestClient.body(16).putInt(16)).errno());
        assertEquals(12, served.socket.refusals());
        assertTrue(served.socket.failure().isEmpty());
    }

    private int errno(int command) {
        return client.request(command, TestClient.body(16)).errno();
    }

    private static String text(ByteBuffer body) {
        return new String(TestClient.bytes(body, 4), StandardCharsets.US_ASCII);
    }
}
