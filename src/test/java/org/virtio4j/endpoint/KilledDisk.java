// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;

/**
 * A process to be killed: a guest that writes its whole disk again and again, each time with the next number in every
 * word, and flushes. It says {@code W} and the number when all writes are answered, {@code F} when the flush is.
 */
final class KilledDisk {

    static final int SECTORS = 2000;

    private static final int SECTOR = 512;
    private static final int STRIPE = 250;
    private static final int QUEUES = 2;

    private KilledDisk() {
    }

    /** Argument: the file. */
    public static void main(String[] arguments) throws IOException {
        try (VirtioBlock disk = VirtioBlock.builder(Path.of(arguments[0])).queues(QUEUES)
                .queueSize(BlockMachine.QUEUE_SIZE).build();
                BlockMachine machine = new BlockMachine(GuestKind.MMIO, disk).start()) {
            Random random = new Random(1);
            for (long number = 1;; number++) {
                writeAll(machine, number, random);
                System.out.println("W " + number);
                machine.add(0, DiskRequests.flush(), 1, SECTOR);
                machine.kick(0);
                BlockTests.assertStatus(DiskRequests.S_OK, machine.await(0));
                System.out.println("F " + number);
            }
        }
    }

    private static void writeAll(BlockMachine machine, long number, Random random) {
        byte[] data = new byte[STRIPE * SECTOR];
        for (int at = 0; at < data.length; at += Long.BYTES) {
            ByteBuffer.wrap(data).putLong(at, number);
        }
        for (int sector = 0; sector < SECTORS; sector += STRIPE) {
            int piece = data.length / (1 + random.nextInt(4));
            machine.add(sector / STRIPE % QUEUES, DiskRequests.out(sector, data), 1, piece);
        }
        for (int queue = 0; queue < QUEUES; queue++) {
            machine.kick(queue);
        }
        for (int sector = 0; sector < SECTORS; sector += STRIPE) {
            BlockTests.assertStatus(DiskRequests.S_OK, machine.await(sector / STRIPE % QUEUES));
        }
    }
}
