// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.iommu.domain.Domains;
import org.virtio4j.iommu.observe.IommuListeners;
import org.virtio4j.iommu.observe.IommuTally;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.FirstFailure;

/**
 * What is done with a batch of requests. It is read in one section, carried out outside any, and answered in another.
 * If anything was taken away, one grace period passes; only then the driver sees the answers. Under the control lock.
 */
public final class RequestQueue implements QueueWork {

    /**
     * A batch this long is about 7 KiB of requests and replies, and with the largest PROBE replies still one section.
     */
    private static final int BATCH = 64;

    private final Request[] requests = new Request[BATCH];
    private final RequestReader reader;
    private final RequestExecutor executor;
    private final ReplyWriter replies;
    private final Domains domains;
    private final IommuTally counters;

    /** What mapping listeners have thrown. */
    private final FirstFailure deferred;
    private final IommuListeners listeners;
    private final RequestView served;
    private final Linger linger;
    private final MapGroup group;

    /** Whether memory was out of reach for a moment when a request of the batch was to be read. */
    private boolean away;

    /**
     * Makes the slots of a batch in advance, so that serving allocates nothing.
     *
     * @param executor  carries requests out
     * @param replies   writes their answers
     * @param domains   waits for readers before answers become visible
     * @param counters  told of each batch
     * @param listeners told of each request and batch
     * @param linger    decides how long to look for more
     */
    public RequestQueue(RequestExecutor executor, ReplyWriter replies, Domains domains, IommuTally counters,
            IommuListeners listeners, Linger linger) {
        this.executor = executor;
        this.replies = replies;
        this.domains = domains;
        this.counters = counters;
        this.deferred = domains.deferred();
        this.listeners = listeners;
        this.reader = new RequestReader(listeners.recordTraffic());
        this.served = new RequestView(replies, listeners.recordTraffic());
        this.linger = linger;
        this.group = new MapGroup(executor, BATCH);
        for (int i = 0; i < BATCH; i++) {
            requests[i] = new Request();
        }
    }

    @Override
    public int batch() {
        return BATCH;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // a slot has the same chain each time, so that it need not be stored again
    public void take(int slot, Chain chain) {
        Request request = requests[slot];
        if (request.chain != chain) {
            request.chain = chain;
        }
        if (slot == 0) {
            away = false;
        }
        if (!reader.read(request)) {
            away = true;
        }
    }

    /** Nothing is carried out before all of it could be read: what was carried out is not done again. */
    @Override
    public boolean work(int count, QueueLoop loop) {
        if (away) {
            return false;
        }
        if (executor.isMirrored()) {
            workMirrored(count);
            return true;
        }
        for (int i = 0; i < count; i++) {
            executor.execute(requests[i]);
            rethrow();
        }
        return true;
    }

    private void workMirrored(int count) {
        group.begin();
        for (int i = 0; i < count; i++) {
            group.execute(requests[i]);
            rethrow();
        }
        group.finish();
        rethrow();
    }

    /**
     * Throws what was kept. No answer of this batch becomes visible then, and the queue is given up; but what was taken
     * away is out of reach of the devices before, because a mirror may have been expelled.
     */
    private void rethrow() {
        if (!deferred.isEmpty()) {
            domains.gracePeriodIfNeeded();
            deferred.rethrow();
        }
    }

    @Override
    public boolean answer(int slot, Chain chain) {
        return replies.write(requests[slot]);
    }

    @Override
    public void beforePublish(int count) {
        if (!listeners.isEmpty()) {
            for (int i = 0; i < count; i++) {
                listeners.served(served.of(requests[i]));
            }
        }
        // The driver must not see that something was unmapped while a section still uses it.
        domains.gracePeriodIfNeeded();
        counters.batch();
        linger.begin();
    }

    @Override
    public void published(int count, boolean interrupt) {
        linger.published(interrupt);
        listeners.batchPublished(count);
    }

    @Override
    public boolean lingers() {
        return linger.goesOn();
    }

    @Override
    public void passed() {
        linger.end();
        listeners.kicked();
    }
}
