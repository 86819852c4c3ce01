// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/**
 * Messages of a client that knows the protocol and does not keep to it. Most are well-formed with fields at random, so
 * that much is carried out; the others have a size, a type, a number or descriptors that do not belong to them.
 */
final class RandomMessages {

    /** What is sent, and whether the server must answer it. */
    static final class Message {

        final int id;
        final int command;
        final byte[] bytes;
        final int[] descriptors;
        final boolean answered;

        Message(int id, int command, byte[] bytes, int[] descriptors, boolean answered) {
            this.id = id;
            this.command = command;
            this.bytes = bytes;
            this.descriptors = descriptors;
            this.answered = answered;
        }

        /** Whether the server has to end the connection, for nobody knows where the next message begins. */
        boolean last() {
            return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(4) < HEADER;
        }
    }

    static final int HEADER = 16;

    private static final int NO_REPLY = 0x10;
    private static final int TYPE = 0xf;
    private static final int REPLY = 1;
    private static final int COMMANDS = 19;
    private static final int TOO_LONG = 8192;
    private static final int[] BORDERS = {0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 0xfff, 0x1000, 0x1001};

    private final Random random;
    private final int memory;
    private final int unsealed;
    private final int eventfd;

    /** The descriptors are what some of the messages carry: sealed memory, memory without seals, an eventfd. */
    RandomMessages(Random random, int memory, int unsealed, int eventfd) {
        this.random = random;
        this.memory = memory;
        this.unsealed = unsealed;
        this.eventfd = eventfd;
    }

    Message next() {
        int command = once(20) ? random.nextInt(0x10000) : random.nextInt(COMMANDS);
        ByteBuffer body = body(command);
        if (command == TestClient.VERSION && body.capacity() >= Short.BYTES) {
            // Another major version would end the connection, or not, if one was agreed on before.
            body.putShort(0, (short) 0);
        }
        int flags = once(4) ? NO_REPLY : 0;
        if (once(50)) {
            flags = random.nextInt();
        }
        int id = random.nextInt(0x10000);
        long size = once(1000) ? random.nextInt(HEADER) : HEADER + body.capacity();
        boolean answered = (flags & TYPE) != REPLY && (flags & NO_REPLY) == 0;
        return new Message(id, command, TestClient.message(id, command, size, flags, body), descriptors(command),
                answered);
    }

    /** A part of a message: of its header, or of its body. */
    Message cut() {
        Message whole = next();
        return new Message(whole.id, whole.command,
                Arrays.copyOf(whole.bytes, random.nextInt(whole.bytes.length)), whole.descriptors, false);
    }

    private ByteBuffer body(int command) {
        if (once(16)) {
            return noise(random.nextInt(once(50) ? 4 * TOO_LONG : 300));
        }
        ByteBuffer right = rightBody(command);
        if (right.capacity() >= Integer.BYTES && once(8)) {
            right.putInt(random.nextInt(right.capacity() / Integer.BYTES) * Integer.BYTES, border());
        }
        return once(16) ? resized(right, random.nextInt(right.capacity() + 40)) : right;
    }

    private ByteBuffer rightBody(int command) {
        return switch (command) {
            case TestClient.VERSION -> TestClient.body(7).putInt(0).put((byte) '{').put((byte) '}');
            case TestClient.DMA_MAP -> TestClient.body(32).putInt(32).putInt(random.nextInt(5))
                    .putLong(pages(4)).putLong(pages(64)).putLong(pages(16));
            case TestClient.DMA_UNMAP -> once(8) ? TestClient.body(24).putInt(24).putInt(2)
                    : TestClient.body(24).putInt(24).putInt(once(4) ? random.nextInt(4) : 0)
                            .putLong(pages(64)).putLong(pages(64));
            case TestClient.GET_REGION_INFO, TestClient.GET_IRQ_INFO -> TestClient.body(32).putInt(32).putInt(0)
                    .putInt(random.nextInt(12) - 1);
            case TestClient.SET_IRQS -> interrupts();
            case TestClient.REGION_READ -> access(0);
            case TestClient.REGION_WRITE -> access(1 << random.nextInt(4));
            case TestClient.RESET -> TestClient.body(0);
            default -> TestClient.body(16).putInt(16);
        };
    }

    private ByteBuffer interrupts() {
        int count = random.nextInt(4);
        int data = 1 << random.nextInt(3);
        int action = once(8) ? random.nextInt(64) : 8 << random.nextInt(3);
        ByteBuffer body = TestClient.body(20 + (data == 2 ? count : 0));
        return body.putInt(20).putInt(data | action).putInt(random.nextInt(3)).putInt(random.nextInt(3)).putInt(count);
    }

    private ByteBuffer access(int data) {
        int count = data == 0 ? 1 << random.nextInt(4) : data;
        int region = once(3) ? TestClient.CONFIG : once(3) ? random.nextInt(10) : 4;
        long offset = region == 4 && random.nextBoolean() ? random.nextInt(0x40) : random.nextInt(0x4010);
        ByteBuffer body = TestClient.body(16 + data).putLong(offset & -count).putInt(region).putInt(count);
        while (body.hasRemaining()) {
            body.put((byte) random.nextInt(random.nextBoolean() ? 8 : 256));
        }
        return body;
    }

    private ByteBuffer noise(int size) {
        byte[] noise = new byte[size];
        random.nextBytes(noise);
        return TestClient.body(size).put(noise);
    }

    private static ByteBuffer resized(ByteBuffer body, int size) {
        return TestClient.body(size).put(Arrays.copyOf(TestClient.bytes(body, 0), size));
    }

    private long pages(int most) {
        return once(20) ? random.nextLong() : random.nextInt(most) * 0x1000L;
    }

    private int border() {
        return BORDERS[random.nextInt(BORDERS.length)];
    }

    /** What belongs to the command, or what does not. */
    private int[] descriptors(int command) {
        if (random.nextBoolean()) {
            return switch (command) {
                case TestClient.DMA_MAP -> new int[] {memory};
                case TestClient.SET_IRQS -> new int[] {eventfd};
                default -> new int[0];
            };
        }
        return switch (random.nextInt(8)) {
            case 0 -> new int[] {unsealed};
            case 1, 2 -> new int[] {memory};
            case 3 -> new int[] {eventfd, eventfd};
            case 4 -> new int[] {eventfd};
            case 5 -> new int[] {memory, eventfd, unsealed};
            default -> new int[0];
        };
    }

    private boolean once(int inSoMany) {
        return random.nextInt(inSoMany) == 0;
    }
}
