// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.fixture.Allocations;

/** Requests allocate nothing on the heap once everything has run before. */
class BlockAllocationTest extends BlockTests {

    private static final int DATA = 200 * SECTOR;
    private static final int WRITE = 0x10_0000;
    private static final int SMALL = 0x20_0000 - 0x1000;

    @Test
    @DisplayName("0 bytes for reads, writes, flushes, zeroes and refused requests")
    void shouldAllocateNothing() {
        VirtioBlock disk = build(VirtioBlock.builder(prepared()).queueSize(BlockMachine.QUEUE_SIZE).polled());
        BlockMachine machine = powerOn(disk).start();
        place(machine, 0, DiskRequests.in(3));
        place(machine, WRITE, DiskRequests.out(500, random(1, DATA)));
        place(machine, SMALL, DiskRequests.flush());
        place(machine, SMALL + 0x100, DiskRequests.ranges(DiskRequests.WRITE_ZEROES,
                new DiskRequests.Range(900, 300, 0), new DiskRequests.Range(3, 1, 1)));
        place(machine, SMALL + 0x200, DiskRequests.header(77, 0));
        DriverQueue queue = machine.queue(0);
        Allocations.assertNone(50, () -> {
            queue.add(0, machine.address(0), 16, machine.address(0x100), DATA + 1);
            queue.add(1, machine.address(WRITE), 16 + DATA, machine.address(SMALL + 0x300), 1);
            queue.add(2, machine.address(SMALL), 16, machine.address(SMALL + 0x301), 1);
            queue.add(3, machine.address(SMALL + 0x100), 48, machine.address(SMALL + 0x302), 1);
            queue.add(4, machine.address(SMALL + 0x200), 16, machine.address(SMALL + 0x303), 1);
            queue.publish();
            if (disk.poll(0) != 5) {
                throw new AssertionError("not served");
            }
            while (queue.poll()) {
                if (queue.usedLength() != (queue.usedToken() == 0 ? DATA + 1 : 1)) {
                    throw new AssertionError("used " + queue.usedLength());
                }
            }
        });
        assertTrue(disk.counters().outcomes(BlockOutcome.OK) >= 200);
        assertEquals(disk.counters().outcomes(BlockOutcome.OK),
                4 * disk.counters().outcomes(BlockOutcome.UNKNOWN_TYPE));
    }

    private Path prepared() {
        write(random(1, 2000 * SECTOR));
        return path();
    }

    private static void place(BlockMachine machine, int at, byte[] request) {
        machine.area().write(at, request, 0, request.length);
    }
}
