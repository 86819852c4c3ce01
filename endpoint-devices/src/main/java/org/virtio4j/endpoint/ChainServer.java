// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.concurrent.atomic.AtomicLong;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.grace.Backoff;

/**
 * Serves one queue, a chain at a time. A {@link ChainHandler} works while no section is open, so that no UNMAP waits
 * for a disk, and the driver is told of each chain when it is done. The {@link QueueLoop} decides when to look and when
 * to stop.
 *
 * <p>Any thread may call.
 */
final class ChainServer implements QueueWork {

    private final QueueLoop loop;
    private final ChainHandler handler;
    private final ChainData data;

    /** Counts when work begins and when it ends, so it is odd while a chain is at work. */
    private final AtomicLong works = new AtomicLong();

    ChainServer(int index, ChainHandler handler) {
        this.loop = new QueueLoop(index, this);
        this.data = new ChainData(loop);
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

    /** Serves one pass if there is something; returns how many chains were given back. */
    int poll() {
        return loop.poll();
    }

    /** Asks the driver of a polled queue for no notification. */
    void quieten() {
        loop.quieten();
    }

    /** Serves one pass; true if there may be more. */
    boolean serve() {
        return loop.serve();
    }

    /** Waits until no chain that was taken before is at work. Not from within the work. */
    void awaitWork() {
        long before = works.get();
        for (int i = 0; (before & 1) != 0 && works.get() == before; i++) {
            Backoff.pause(i);
        }
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
            return handler.work(data);
        } finally {
            works.getAndIncrement();
        }
    }

    @Override
    public boolean answer(int slot, Chain chain) {
        return handler.answer(chain);
    }
}
