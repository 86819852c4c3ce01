// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.pci.VirtioPciFunction;

@Timeout(60)
class RegisterAccessTest extends ServedTest {

    private static final int BAR = 4;
    private static final int MSIX_BAR = 1;
    private static final int COMMAND = 4;
    private static final int MEMORY_AND_MASTER = 6;
    private static final int DEVICE_STATUS = 0x14;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void shouldReadConfigurationSpaceAsTheFunctionHasIt(int width) {
        for (int offset = 0; offset < 256; offset += width) {
            assertEquals(served.function.readConfig(offset, width), client.value(TestClient.CONFIG, offset, width));
        }
    }

    @Test
    void shouldReadAStretchOfConfigurationSpaceAtOnce() {
        byte[] whole = new byte[4096];
        for (int i = 0; i < whole.length; i++) {
            whole[i] = (byte) served.function.readConfig(i, 1);
        }
        assertArrayEquals(whole, data(client.read(TestClient.CONFIG, 0, 4096)));
        assertArrayEquals(Arrays.copyOfRange(whole, 3, 14), data(client.read(TestClient.CONFIG, 3, 11)));
    }

    @Test
    void shouldWriteConfigurationSpaceAndReadItBack() {
        assertEquals(0, client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER).errno());
        assertEquals(MEMORY_AND_MASTER, served.function.readConfig(COMMAND, 2));

        client.write(TestClient.CONFIG, 0x20, 8, 0x1_8000_0000L);
        assertEquals(0x1_8000_0000L, served.function.barAddress(BAR), "both halves of a BAR in one message");
    }

    @Test
    void shouldTellOfAMessageBeforeItIsCarriedOut() throws IOException {
        Path other = Files.createDirectory(folder.resolve("other"));
        List<Long> commands = new ArrayList<>();
        Served[] told = new Served[1];
        VfioUserOptions options = VfioUserOptions.DEFAULT.withMessageListener(
                () -> commands.add(told[0].function.readConfig(COMMAND, 2)));
        told[0] = new Served(other, options);
        try (Served ended = told[0]; TestClient second = ended.connect()) {
            commands.clear(); // the handshake
            second.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
            second.write(TestClient.CONFIG, COMMAND, 2, 0);
            assertEquals(List.of(0L, (long) MEMORY_AND_MASTER), commands);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    void shouldReadBarsAsTheFunctionHasThem(int width) {
        client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
        for (int offset = 0; offset < 0x40; offset += width) {
            assertEquals(served.function.readBar(BAR, offset, width), client.value(BAR, offset, width));
            assertEquals(served.function.readBar(BAR, 0x2000 + offset, width),
                    client.value(BAR, 0x2000 + offset, width));
        }
    }

    @Test
    @DisplayName("PCI 6.2.2 is for addresses: a client that names a BAR by number has routed the access itself")
    void shouldAnswerWhileMemorySpaceIsOff() {
        assertEquals(2, client.value(BAR, 0x12, 2));
        client.write(BAR, DEVICE_STATUS, 1, 1);
        assertEquals(1, client.value(BAR, DEVICE_STATUS, 1));
        assertEquals(1, client.value(MSIX_BAR, 12, 4));
        assertEquals(0xffff, served.function.readBar(BAR, 0x12, 2), "not so for who routes by address");
        served.function.writeBar(BAR, DEVICE_STATUS, 1, 0);
        assertEquals(1, client.value(BAR, DEVICE_STATUS, 1));
        assertEquals(VirtioPciFunction.NOT_MAPPED, served.function.barAddress(BAR));
    }

    @Test
    @DisplayName("PM 5.4.1: asleep a function answers in configuration space alone, whoever asks")
    void shouldReadAllOnesWhileTheFunctionSleeps() {
        int power = client.capability(1);
        client.write(TestClient.CONFIG, power + 4, 2, 3);
        assertEquals(0xffff, client.value(BAR, 0x12, 2));
        assertEquals(0xffff_ffffL, client.value(MSIX_BAR, 12, 4));
        client.write(BAR, DEVICE_STATUS, 1, 1);
        client.write(TestClient.CONFIG, power + 4, 2, 0);
        assertEquals(0, client.value(BAR, DEVICE_STATUS, 1));
    }

    @Test
    void shouldNotAnswerAPostedWriteButCarryItOut() {
        client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
        client.postWrite(BAR, DEVICE_STATUS, 1, 1);
        client.postWrite(BAR, DEVICE_STATUS, 1, 3);
        assertEquals(3, client.value(BAR, DEVICE_STATUS, 1), "the next answer is that of the read");
    }

    @Test
    void shouldNotAnswerAPostedRequestThatIsRefused() {
        client.postWrite(BAR, 1 << 20, 4, 1);
        assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
        assertEquals(1, served.socket.refusals());
    }

    @Test
    void shouldRepeatPlaceAndCountInTheAnswer() {
        ByteBuffer body = client.write(TestClient.CONFIG, COMMAND, 2, 0).body();
        assertEquals(16, body.capacity());
        assertEquals(COMMAND, body.getLong(0));
        assertEquals(TestClient.CONFIG, body.getInt(8));
        assertEquals(2, body.getInt(12));
    }

    @ParameterizedTest
    @CsvSource({
        "4, 0, 0", "4, 0, 3", "4, 0, 16", "4, 0x3fff, 2", "4, 0x4000, 1", "4, -1, 1", "4, 0x7fffffffffffffff, 4",
        "4, 0, -1", "0, 0, 4", "6, 0, 4", "8, 0, 1", "9, 0, 4", "-1, 0, 4", "7, 4096, 1", "7, 4095, 2",
        "7, -4, 4", "7, 0, 4097", "7, 0, 0", "7, 0, 2147483647"
    })
    void shouldRefuseAnAccessOutsideOfARegionOrOfNoWidth(int region, String offset, int count) {
        assertEquals(TestClient.EINVAL, client.read(region, Long.decode(offset), count).errno());
        ByteBuffer write = TestClient.body(16 + 4).putLong(Long.decode(offset)).putInt(region).putInt(count);
        assertEquals(TestClient.EINVAL, client.request(TestClient.REGION_WRITE, write).errno());
    }

    @Test
    void shouldRefuseAWriteWhoseDataIsMissing() {
        ByteBuffer write = TestClient.body(16 + 2).putLong(0).putInt(BAR).putInt(4);
        assertEquals(TestClient.EINVAL, client.request(TestClient.REGION_WRITE, write).errno());
        ByteBuffer head = TestClient.body(12).putLong(0).putInt(BAR);
        assertEquals(TestClient.EINVAL, client.request(TestClient.REGION_WRITE, head).errno());
        assertEquals(TestClient.EINVAL, client.request(TestClient.REGION_READ, head).errno());
    }

    @Test
    void shouldResetTheFunctionWhenTheClientResetsTheDevice() {
        client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
        client.postWrite(BAR, DEVICE_STATUS, 1, 1);
        assertEquals(0, client.request(TestClient.RESET, TestClient.body(0)).errno());

        assertEquals(0, client.value(TestClient.CONFIG, COMMAND, 2));
        client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
        assertEquals(0, client.value(BAR, DEVICE_STATUS, 1));
    }

    private static byte[] data(TestClient.Answer answer) {
        assertEquals(0, answer.errno());
        return TestClient.bytes(answer.body(), 16);
    }
}
