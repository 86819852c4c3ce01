// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.endpoint.DiskRequests.Range;

/** Random work on several queues at once, compared with an array of bytes. */
class BlockModelTest extends BlockTests {

    private static final int SECTORS = 3000;
    private static final int QUEUES = 3;
    private static final int ROUNDS = 60;
    private static final int AT_ONCE = 12;

    private byte[] model = {};
    private Random random = new Random();

    @Test
    @DisplayName("5.2.6: what was written is read, whoever wrote it where and in what pieces")
    void shouldAgreeWithAModel() {
        random = new Random(seed());
        BlockMachine machine = start(disk(SECTORS).queues(QUEUES));
        file().most = 5000;
        model = contents();
        for (int round = 0; round < ROUNDS; round++) {
            runOnce(machine);
        }
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.flush(), 1));
        assertArrayEquals(model, contents());
    }

    /** A batch of requests, no two of which touch the same stripe, so that their order does not matter. */
    private void runOnce(BlockMachine machine) {
        int stripe = SECTORS / AT_ONCE;
        List<Map<Long, byte[]>> expected = new ArrayList<>();
        for (int i = 0; i < QUEUES; i++) {
            expected.add(new HashMap<>());
        }
        for (int i = 0; i < AT_ONCE; i++) {
            int queue = random.nextInt(QUEUES);
            int count = 1 + random.nextInt(random.nextInt(8) == 0 ? 200 : 10);
            int sector = i * stripe + random.nextInt(stripe - count);
            add(machine, queue, sector, count, expected.get(queue));
            if (random.nextInt(3) == 0) {
                machine.kick(queue);
            }
        }
        for (int queue = 0; queue < QUEUES; queue++) {
            machine.kick(queue);
            while (!expected.get(queue).isEmpty()) {
                DiskReply reply = machine.await(queue);
                byte[] data = expected.get(queue).remove(reply.token());
                assertStatus(DiskRequests.S_OK, reply);
                assertArrayEquals(data, reply.data());
            }
        }
        assertTrue(expected.stream().allMatch(Map::isEmpty));
    }

    private void add(BlockMachine machine, int queue, int sector, int count, Map<Long, byte[]> expected) {
        int piece = random.nextBoolean() ? Integer.MAX_VALUE : count * SECTOR / (1 + random.nextInt(3)) + 1;
        int from = sector * SECTOR;
        int to = (sector + count) * SECTOR;
        switch (random.nextInt(5)) {
            case 0 -> {
                Arrays.fill(model, from, to, (byte) 0);
                byte[] request = DiskRequests.ranges(DiskRequests.WRITE_ZEROES,
                        new Range(sector, count, random.nextInt(2)));
                expected.put(machine.add(queue, request, 1, piece), new byte[0]);
            }
            case 1, 2 -> {
                byte[] data = random(random.nextLong(), to - from);
                System.arraycopy(data, 0, model, from, data.length);
                expected.put(machine.add(queue, DiskRequests.out(sector, data), 1, piece), new byte[0]);
            }
            default -> expected.put(machine.add(queue, DiskRequests.in(sector), to - from + 1, piece),
                    Arrays.copyOfRange(model, from, to));
        }
    }
}
