// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.wire.FeatureBit;

/** Section 2.7.10, a disk that is served in kicks: none is lost, however many requests come while it serves. */
class BlockKickTest extends BlockTests {

    private static final int SECTORS = 8;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("2.7.10.2: what is added while a kick is served, by a driver that need not kick, is served by it")
    void shouldMissNothingThatComesWhileItServes(boolean eventIdx) {
        BlockMachine machine = powerOn(disk(SECTORS).servedInKicks());
        FeatureSet offered = machine.offered();
        machine.start(eventIdx ? offered : offered.without(FeatureBit.EVENT_IDX));
        DriverQueue queue = machine.queue(0);
        // Several times what a pass looks at.
        int all = 10 * BlockMachine.QUEUE_SIZE;
        AtomicInteger added = new AtomicInteger();
        AtomicInteger back = new AtomicInteger();
        file().hook = (operation, position) -> {
            // The guest's other CPU: takes what is there and adds the next, with a kick only where one is asked for.
            while (operation == Operation.READ && machine.poll(0) != null) {
                back.incrementAndGet();
            }
            if (operation == Operation.READ && added.get() < all) {
                added.incrementAndGet();
                machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
                machine.kick(0);
            }
        };
        added.incrementAndGet();
        machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
        machine.kick(0);
        while (machine.poll(0) != null) {
            back.incrementAndGet();
        }
        assertEquals(all, added.get());
        assertEquals(all, back.get(), "missed");
        assertFalse(queue.poll());
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(1), SECTOR + 1));
    }
}
