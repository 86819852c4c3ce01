// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.pci.VirtioPciFunction;

/** What {@link MemoryFileTest} runs in a JVM that may make no native call. */
final class WithoutNativeAccess {

    static final String DONE = "served without native access";

    private static final int SIZE = 1 << 20;

    private WithoutNativeAccess() {
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path file = folder.resolve("child.ram");
        try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(SIZE);
        }
        try {
            VfioUserSocket.at(folder.resolve("child.sock")).close();
            throw new AssertionError("native access is on");
        } catch (UnsupportedOperationException expected) {
            check(String.valueOf(expected.getMessage()).contains("--enable-native-access=org.virtio4j.os"), "message");
        }
        try (VfioUserSocket socket = VfioUserSocket.at(folder.resolve("child.sock"),
                VfioUserOptions.DEFAULT.withoutDescriptors(file))) {
            socket.start(VirtioPciFunction.of(new Idle(), DmaSpace.identity(socket.memory()), socket.interrupts()));
            talk(socket);
        }
        System.out.println(DONE);
    }

    private static void talk(VfioUserSocket socket) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket.path()))) {
            request(channel, TestClient.VERSION, TestClient.body(4), 20);
            request(channel, TestClient.DMA_MAP,
                    TestClient.body(32).putInt(32).putInt(3).putLong(0).putLong(0).putLong(SIZE), 16);
            check(socket.memory().map().count() == 1, "the window is not there");
            ByteBuffer answer = request(channel, TestClient.REGION_READ,
                    TestClient.body(16).putLong(0).putInt(TestClient.CONFIG).putInt(4), 36);
            check(answer.getShort(32) == 0x1af4, "no virtio function");
        }
    }

    private static ByteBuffer request(SocketChannel channel, int command, ByteBuffer body, int answerSize)
            throws IOException {
        channel.write(ByteBuffer.wrap(TestClient.message(1, command, 16L + body.capacity(), 0, body)));
        ByteBuffer answer = TestClient.body(answerSize);
        while (answer.hasRemaining() && channel.read(answer) >= 0) {
            Thread.onSpinWait();
        }
        check(answer.getInt(4) == answerSize && answer.getInt(12) == 0, "command " + command);
        return answer;
    }

    private static void check(boolean right, String message) {
        if (!right) {
            throw new AssertionError(message);
        }
    }

    /** A device with one queue that does nothing. */
    private static final class Idle implements VirtioDevice {

        @Override
        public DeviceInfo info() {
            return new DeviceInfo(4, List.of(8), 0);
        }

        @Override
        public Features offered() {
            return Features.NONE;
        }

        @Override
        public void activate(DeviceContext context) {
            // Nothing to do.
        }

        @Override
        public void kicked(int queue) {
            // Nothing to do.
        }

        @Override
        public void reset(ResetKind kind) {
            // There is no state to clear.
        }

        @Override
        public long readConfig(int offset, int width) {
            return 0;
        }

        @Override
        public void writeConfig(int offset, int width, long value) {
            // There is no configuration.
        }
    }
}
