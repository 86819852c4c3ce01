// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.UsedRing;

/**
 * Driver and device on two threads that wait whenever the other side owes them a notification. If either decides
 * wrongly, or does not see in time what the other one wished, both wait for ever. What the driver finds behind a used
 * index must be complete.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SplitRingTwoThreadsTest {

    private static final int BUFFERS = 100_000;
    private static final int SPINS = 1_000;
    private static final int PATIENCE_SECONDS = 15;

    private final AtomicInteger kicks = new AtomicInteger();
    private final AtomicInteger interrupts = new AtomicInteger();
    private volatile boolean done;
    private volatile String complaint = "";

    @ParameterizedTest
    @CsvSource({"false, 1", "true, 1", "false, 8", "true, 8", "true, 256"})
    void shouldLoseNoNotificationAndShowNothingHalfDone(boolean eventIdx, int size) {
        try (RingFixture ring = RingFixture.of(size).eventIdx(eventIdx).open()) {
            for (int i = 0; i < size; i++) {
                ring.driver.descriptor(i, DriverRing.Buffer.writable(ring.buffers + 8L * i, 8));
            }
            Thread device = new Thread(() -> serve(ring), "device");
            device.start();
            drive(ring, eventIdx, size);
            done = true;
            kicks.incrementAndGet();
            Parked.finish(device);
            assertEquals("", complaint);
            assertEquals(QueueFailure.NONE, ring.queue.failure());
        }
    }

    /** The device: serves all there is, asks for a notification, looks again, waits. */
    private void serve(RingFixture ring) {
        MemorySegment host = Arena.ofAuto().allocate(8, 8);
        long count = 0;
        while (!done && complaint.isEmpty()) {
            ring.queue.disableNotifications();
            do {
                ring.queue.enter();
                while (ring.queue.poll(ring.chain)) {
                    count++;
                    LittleEndian.putI64(host, 0, count);
                    if (ring.chain.write(0, host, 0, 1 + count % 8) != DmaResult.OK) {
                        complaint = "the buffer is gone";
                    }
                    ring.queue.complete(ring.chain);
                }
                ring.queue.leave();
                if (ring.queue.publish()) {
                    interrupts.incrementAndGet();
                }
            } while (ring.queue.enableNotifications());
            await(kicks, "the device waits for a kick that does not come");
        }
    }

    /** The driver: offers what it has, kicks if asked to, takes back what was used, waits if there is nothing. */
    private void drive(RingFixture ring, boolean eventIdx, int size) {
        Random random = new Random(size);
        int[] free = new int[size];
        for (int i = 0; i < size; i++) {
            free[i] = i;
        }
        int freeCount = size;
        int offered = 0;
        int used = 0;
        while (used < BUFFERS && complaint.isEmpty()) {
            int batch = Math.min(freeCount, Math.min(1 + random.nextInt(8), BUFFERS - offered));
            int before = offered;
            for (int i = 0; i < batch; i++) {
                ring.driver.stage(free[--freeCount]);
            }
            offered += batch;
            ring.driver.show();
            VarHandle.fullFence();
            if (batch > 0 && wantsKick(ring, eventIdx, before, offered)) {
                kicks.incrementAndGet();
            }
            int now = ask(ring, eventIdx, random.nextBoolean() ? offered - 1 : used);
            if (now == (used & 0xffff)) {
                await(interrupts, "the driver waits for an interrupt that does not come");
            }
            ring.driver.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
            while ((used & 0xffff) != now) {
                free[freeCount++] = take(ring, used);
                used++;
            }
        }
    }

    /** Section 2.7.10.1, from the driver's side. */
    private static boolean wantsKick(RingFixture ring, boolean eventIdx, int before, int after) {
        if (!eventIdx) {
            return (ring.driver.usedFlags() & UsedRing.FLAG_NO_NOTIFY) == 0;
        }
        int event = ring.driver.availableEvent();
        for (int i = before; i < after; i++) {
            if ((i & 0xffff) == event) {
                return true;
            }
        }
        return false;
    }

    /** Says which buffer the driver wants to hear of, and only then looks how far the device is. */
    private static int ask(RingFixture ring, boolean eventIdx, int event) {
        if (eventIdx) {
            ring.driver.usedEvent(event);
        } else {
            ring.driver.availableFlags(0);
        }
        VarHandle.fullFence();
        return ring.driver.usedIndex();
    }

    private int take(RingFixture ring, int index) {
        int head = ring.driver.usedId(index);
        int length = ring.driver.usedLength(index);
        long count = index + 1L;
        long written = ring.ram.i64(ring.buffers + 8L * head);
        long mask = length == 8 ? -1 : (1L << (8 * length)) - 1;
        if (length != 1 + count % 8 || (written & mask) != (count & mask)) {
            complaint = "used " + index + ": head " + head + " length " + length + " content " + written;
        }
        return head;
    }

    /** Waits awake, so that the two threads meet where it hurts far more often than if they had to be woken. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing rests on the yield but the time it takes
    private void await(AtomicInteger wakeUps, String otherwise) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        for (int round = 0; wakeUps.getAndSet(0) == 0 && complaint.isEmpty(); round++) {
            if (round < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
            if (System.nanoTime() - end > 0) {
                complaint = otherwise;
            }
        }
    }
}
