// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.Backoff;
import org.virtio4j.vmm.DmaResult;

/**
 * Serves one queue, a chain at a time: a {@link ChainHandler} works while no section is open, so nobody's UNMAP waits
 * for a disk, and a driver hears of each chain when it is done. When to look and when to stop is the {@link
 * QueueLoop}'s.
 *
 * <p>Any thread may call.
 */
final class QueueServer implements QueueWork {

    private final QueueLoop loop;
    private final ChainHandler handler;

    /** Counts when work begins and when it ends, so it is odd while a chain is at work. */
    private final AtomicLong works = new AtomicLong();

    QueueServer(int index, ChainHandler handler) {
        this.loop = new QueueLoop(index, this);
        this.handler = handler;
    }

    void start(DeviceContext active) {
        loop.start(active);
    }

    void stop() {
        loop.stop();
    }

    boolean isIdle() {
        return loop.isIdle();
    }

    /** Serves what is available, or leaves it to the thread that serves already. */
    void kick() {
        loop.kick();
    }

    /** Serves one pass if there is something; how many chains were given back. */
    int poll() {
        return loop.poll();
    }

    /** Has the driver of a polled queue be asked for no notification. */
    void quieten() {
        loop.quieten();
    }

    /** Serves one pass; true if there may be more. */
    boolean serve() {
        return loop.serve();
    }

    /** Returns when no chain is being worked on that was taken before. Not from within the work. */
    void awaitWork() {
        long before = works.get();
        for (int i = 0; (before & 1) != 0 && works.get() == before; i++) {
            Backoff.pause(i);
        }
    }

    // For the handler at work

    /** Copies from the chain's readable part, in a section of its own. */
    DmaResult read(long offset, MemorySegment to, long length) {
        return loop.read(0, offset, to, length);
    }

    /** Copies to the chain's writable part, in a section of its own. */
    DmaResult write(long offset, MemorySegment from, long length) {
        return loop.write(0, offset, from, length);
    }

    /** Whether anybody still waits for the chain; false once its queue was reset. */
    boolean wanted() {
        return loop.wanted();
    }

    // QueueWork

    @Override
    public void take(int slot, Chain chain) {
        handler.take(chain);
    }

    @Override
    public boolean work(int count) {
        works.getAndIncrement();
        try {
            return handler.work(this);
        } finally {
            works.getAndIncrement();
        }
    }

    @Override
    public boolean answer(int slot, Chain chain) {
        return handler.answer(chain);
    }
}
