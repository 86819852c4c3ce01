// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.wire.DeviceType;

/** DEVICE_RESET, and the end of a client: the reset of one function, answered though its device is busy. */
@Timeout(60)
class ResetMessageTest {

    private static final int COMMAND = 4;
    private static final int MEMORY_AND_MASTER = 6;
    private static final int VIRTIO_BAR = 4;
    private static final int STATUS = 0x14;
    private static final int FOUND = 3;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("DEVICE_RESET, or a client's end, resets its own function and no other")
    void shouldResetOneFunctionAlone(boolean byLeaving) throws IOException {
        try (Served one = new Served(Files.createDirectory(folder.resolve("one")));
                Served other = new Served(Files.createDirectory(folder.resolve("other")));
                TestClient client = other.connect()) {
            find(client);
            TestClient first = one.connect();
            find(first);
            if (byLeaving) {
                first.close();
                first = one.connect();
            } else {
                assertEquals(0, first.request(TestClient.RESET, TestClient.body(0)).errno());
            }
            first.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
            assertEquals(0, status(first));
            assertEquals(FOUND, status(client));
            first.close();
        }
    }

    @Test
    @DisplayName("DEVICE_RESET is answered though the device is busy elsewhere; 4.1.4.3.1: its status is not 0 then")
    void shouldAnswerThoughTheDeviceIsBusy() throws IOException {
        Busy device = new Busy();
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("busy.sock"))) {
            socket.start(VirtioPciFunction.of(device, DmaSpace.identity(socket.memory()), socket.interrupts()));
            try (TestClient client = TestClient.of(socket.path())) {
                find(client);
                device.idle = false;
                assertEquals(0, client.request(TestClient.RESET, TestClient.body(0)).errno());
                client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
                assertNotEquals(0, status(client));
                assertEquals(List.of(), device.resets);
                device.idle = true;
                assertEquals(0, status(client));
                assertEquals(List.of(ResetKind.SYSTEM), device.resets);
            } finally {
                device.idle = true;
            }
        }
    }

    @Test
    @DisplayName("A socket whose device is busy for ever can be closed")
    void shouldCloseThoughTheDeviceIsBusy() throws IOException {
        Busy device = new Busy();
        VfioUserSocket socket = VfioUserSocket.at(folder.resolve("busy.sock"));
        socket.start(VirtioPciFunction.of(device, DmaSpace.identity(socket.memory()), socket.interrupts()));
        try (TestClient client = TestClient.of(socket.path())) {
            find(client);
            device.idle = false;
            socket.close();
        }
    }

    private static void find(TestClient client) {
        client.write(TestClient.CONFIG, COMMAND, 2, MEMORY_AND_MASTER);
        client.write(VIRTIO_BAR, STATUS, 1, FOUND);
        assertEquals(FOUND, status(client));
    }

    private static long status(TestClient client) {
        return client.value(VIRTIO_BAR, STATUS, 1);
    }

    /** A device with one queue that says whether it is at work. */
    private static final class Busy implements VirtioDevice {

        private final List<ResetKind> resets = new CopyOnWriteArrayList<>();
        private volatile boolean idle = true;

        @Override
        public DeviceInfo info() {
            return new DeviceInfo(DeviceType.ENTROPY, List.of(8), 0);
        }

        @Override
        public Features offered() {
            return Features.NONE;
        }

        @Override
        public void activate(DeviceContext context) {
            // Nobody starts it.
        }

        @Override
        public void kicked(int queue) {
            // Nobody starts it.
        }

        @Override
        public boolean isIdle(int queue) {
            return idle;
        }

        @Override
        public void reset(ResetKind kind) {
            resets.add(kind);
        }

        @Override
        public long readConfig(int offset, int width) {
            return 0;
        }

        @Override
        public void writeConfig(int offset, int width, long value) {
            // There is none.
        }
    }
}
