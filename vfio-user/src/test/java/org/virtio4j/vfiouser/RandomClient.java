// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.virtio4j.vfiouser.RandomMessages.Message;

/**
 * One conversation of random messages, some one by one and some in bursts, and one of the ways to end it. What must be
 * answered is waited for, and nothing else.
 */
final class RandomClient {

    private static final int MOST_AT_ONCE = 32;
    private static final int COMMON = 4;

    private final TestClient client;
    private final Random random;
    private final RandomMessages messages;
    private boolean ended;

    RandomClient(TestClient client, Random random, RandomMessages messages) {
        this.client = client;
        this.random = random;
        this.messages = messages;
    }

    /** Gives the function memory and starts it, so that what follows meets a device at work. */
    void start(int memory) {
        client.map(0, 1 << 20, 0, 3, memory);
        client.write(TestClient.CONFIG, 4, 2, 6);
        put(0x14, 1, 1);
        put(0x14, 1, 3);
        put(0x08, 4, 1);
        put(0x0c, 4, 1);
        put(0x14, 1, 0xb);
        for (int queue = 0; queue < 2; queue++) {
            put(0x16, 2, queue);
            put(0x20, 8, RandomMemory.QUEUE * queue);
            put(0x28, 8, RandomMemory.QUEUE * queue + RandomMemory.AVAILABLE);
            put(0x30, 8, RandomMemory.QUEUE * queue + RandomMemory.USED);
            put(0x1c, 2, 1);
        }
        put(0x14, 1, 0xf);
    }

    /** Sends so many messages; fewer if one of them ended the connection. Returns how many it sent. */
    int talk(int count) {
        int sent = 0;
        while (sent < count && !ended) {
            List<Message> burst = send(Math.min(count - sent, random.nextInt(4) == 0 ? MOST_AT_ONCE : 1));
            takeAnswers(burst);
            sent += burst.size();
        }
        return sent;
    }

    /** Leaves in one way or another, but closes nothing. */
    void leave() {
        if (ended) {
            return;
        }
        switch (random.nextInt(5)) {
            case 0 -> sendOne(messages.cut());
            case 1 -> send(MOST_AT_ONCE);
            case 2 -> leaveInMidReply();
            case 3 -> takeAnswersAfterTheEnd();
            default -> { }
        }
    }

    private void leaveInMidReply() {
        client.send(TestClient.message(1, TestClient.REGION_READ, 32, 0,
                TestClient.body(16).putLong(0).putInt(TestClient.CONFIG).putInt(256)));
        Libc.read(client.fd(), 1 + random.nextInt(200));
    }

    /** What was sent before the end is answered still. */
    private void takeAnswersAfterTheEnd() {
        List<Message> burst = send(MOST_AT_ONCE);
        Libc.shutdownWrites(client.fd());
        takeAnswers(burst);
        if (!client.atEnd()) {
            throw new AssertionError("the server goes on after the end");
        }
    }

    private List<Message> send(int count) {
        List<Message> burst = new ArrayList<>();
        while (burst.size() < count && !ended) {
            Message message = messages.next();
            sendOne(message);
            burst.add(message);
            ended = message.last();
        }
        return burst;
    }

    private void sendOne(Message message) {
        if (message.bytes.length > 0) {
            client.send(message.bytes, message.descriptors);
        }
    }

    private void takeAnswers(List<Message> burst) {
        for (Message message : burst) {
            if (message.answered) {
                client.answer(message.id, message.command);
            }
        }
    }

    private void put(long offset, int width, long value) {
        client.postWrite(COMMON, offset, width, value);
    }
}
