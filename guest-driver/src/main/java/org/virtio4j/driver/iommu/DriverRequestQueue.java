// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.UsedRingFailure;
import org.virtio4j.wire.iommu.RequestTail;

/**
 * The request queue of a started virtio-iommu: the requests on their way, in the order in which they were made. Each
 * has its own slot of guest memory.
 *
 * <p>Requests are numbered; request n is in slot n modulo the number of slots, which is the size of the queue, so there
 * is always a slot for what the ring has room for. Requests {@code first} to {@code next} − 1 are on their
 * way or not reported yet.
 */
final class DriverRequestQueue {

    /** Bytes of a slot: a readable part at its start, and the tail behind the longest of them. */
    static final long SLOT_SIZE = 64;

    private static final long SLOT_TAIL = 40;
    private static final long ON_ITS_WAY = -1;

    /** How often to look again at once before giving the processor away. */
    private static final long EAGER_POLLS = 1_000;

    private final DriverTransport transport;
    private final DriverQueue queue;
    private final GuestBuffer slots;
    private final AnswerListener listener;
    private final long pollLimit;
    private final RequestResult result;

    private final int mask;
    private final long[] tags;
    private final int[] types;
    private final GuestBuffer[] writables;
    private final long[] writableOffsets;
    private final long[] writableLengths;
    private final long[] usedLengths;
    private ChainLayout layout = ChainLayout.PLAIN;

    private long first;
    private long next;
    private int outCount;
    private long kicks;

    DriverRequestQueue(DriverTransport transport, DriverQueue queue, GuestBuffer slots, AnswerListener listener,
            long pollLimit) {
        int size = queue.size();
        this.transport = transport;
        this.queue = queue;
        this.slots = slots;
        this.listener = listener;
        this.pollLimit = pollLimit;
        this.result = new RequestResult(slots);
        this.mask = size - 1;
        this.tags = new long[size];
        this.types = new int[size];
        this.writables = new GuestBuffer[size];
        this.writableOffsets = new long[size];
        this.writableLengths = new long[size];
        this.usedLengths = new long[size];
        queue.disableUsedNotifications();
    }

    DriverQueue queue() {
        return queue;
    }

    RequestResult result() {
        return result;
    }

    int outCount() {
        return outCount;
    }

    long kicks() {
        return kicks;
    }

    void chainLayout(ChainLayout newLayout) {
        layout = newLayout;
    }

    GuestBuffer slots() {
        return slots;
    }

    /** Where in {@link #slots} the next request goes, after {@link #reserve}. */
    long slot() {
        return (next & mask) * SLOT_SIZE;
    }

    /** Makes sure that a slot is free: waits for all requests if there is none. */
    DriverResult reserve() {
        return next - first <= mask ? DriverResult.OK : sync();
    }

    /** Queues the request whose readable part is in the slot. */
    DriverResult submitSlot(long tag, int type, long readableLength) {
        long tail = slot() + SLOT_TAIL;
        slots.putI32(tail, -1);
        return submit(tag, type, slots.address() + slot(), readableLength, slots, tail, RequestTail.SIZE);
    }

    /** Queues a request, after {@link #reserve}; waits for all others first if the ring is full. */
    DriverResult submit(long tag, int type, long readableAddress, long readableLength, GuestBuffer writable,
            long writableOffset, long writableLength) {
        int slot = (int) (next & mask);
        long writableAddress = writable.address() + writableOffset;
        while (!layout.add(queue, slot, readableAddress, readableLength, writableAddress, writableLength)) {
            DriverResult waited = sync();
            if (waited != DriverResult.OK) {
                return waited;
            }
        }
        tags[slot] = tag;
        types[slot] = type;
        writables[slot] = writable;
        writableOffsets[slot] = writableOffset;
        writableLengths[slot] = writableLength;
        usedLengths[slot] = ON_ITS_WAY;
        next++;
        outCount++;
        queue.publish();
        return DriverResult.OK;
    }

    /** One kick, then looks at the used ring until nothing is on its way any more. */
    DriverResult sync() {
        kick();
        DriverResult waited = DriverResult.OK;
        long polls = 0;
        while (outCount > 0 && waited == DriverResult.OK) {
            if (queue.poll()) {
                usedLengths[(int) queue.usedToken()] = queue.usedLength();
                outCount--;
                polls = 0;
            } else {
                waited = waitMore(polls++);
            }
        }
        report();
        return waited;
    }

    private void kick() {
        if (queue.kickNeeded()) {
            kicks++;
            transport.notifyQueue(queue.index());
        }
    }

    /** Yielding helps if the device is served by a thread that waits for this processor. Nothing depends on it. */
    @SuppressWarnings("ThreadPriorityCheck")
    private DriverResult waitMore(long polls) {
        if (queue.failure() != UsedRingFailure.NONE) {
            return DriverResult.QUEUE_BROKEN;
        }
        if (polls >= pollLimit) {
            return DriverResult.NO_ANSWER;
        }
        if (polls < EAGER_POLLS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
        return DriverResult.OK;
    }

    private void report() {
        while (first != next && usedLengths[(int) (first & mask)] != ON_ITS_WAY) {
            int slot = (int) (first & mask);
            first++;
            result.set(tags[slot], types[slot], usedLengths[slot], writableLengths[slot]);
            result.setWritable(writables[slot], writableOffsets[slot]);
            listener.answered(result);
        }
    }
}
