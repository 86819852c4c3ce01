// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;

/**
 * Serves the request queue in batches: read a batch in one section, carry it out outside any, answer it in another,
 * wait once for readers if anything was taken away, and make all answers visible with one store. Under the control
 * lock.
 */
final class RequestQueue {

    /** A batch this long is about 7 KiB of requests and replies, far from what a section may copy. */
    private static final int BATCH = 64;

    private final Request[] requests = new Request[BATCH];
    private final RequestReader reader;
    private final RequestExecutor executor;
    private final ReplyWriter replies;
    private final Domains domains;
    private final IommuCounters counters;
    private final @Nullable TrafficListener traffic;
    private final ServedRequest served;
    private final IntConsumer batchListener;
    private final long lingerNanos;
    private final LongSupplier nanoTime;
    private boolean leftSome;

    RequestQueue(RequestExecutor executor, ReplyWriter replies, Domains domains, IommuCounters counters,
            @Nullable TrafficListener traffic, IntConsumer batchListener, long lingerNanos, LongSupplier nanoTime) {
        this.executor = executor;
        this.replies = replies;
        this.domains = domains;
        this.counters = counters;
        this.traffic = traffic;
        this.reader = new RequestReader(traffic != null);
        this.served = new ServedRequest(replies, domains);
        this.batchListener = batchListener;
        this.lingerNanos = lingerNanos;
        this.nanoTime = nanoTime;
        emptySlots();
    }

    /**
     * Serves what is available, and what comes while it lingers, up to twice the ring, and leaves notifications on.
     *
     * @return whether the driver wants an interrupt for what was used
     * @throws InternalError if the guest's memory was cut short while it was being used
     */
    boolean serve(DeviceQueue queue) {
        try {
            return serveAvailable(queue);
        } catch (InternalError cutShort) {
            // What was being served is lost with its queue; the slots must be free for the next one.
            emptySlots();
            throw cutShort;
        }
    }

    private void emptySlots() {
        for (int i = 0; i < BATCH; i++) {
            requests[i] = new Request();
        }
    }

    /** Whether {@link #serve} came to its limit before the end of what was available. */
    boolean leftSome() {
        return leftSome;
    }

    private boolean serveAvailable(DeviceQueue queue) {
        boolean interrupt = false;
        int left = 2 * queue.size();
        queue.disableNotifications();
        do {
            int taken = take(queue, Math.min(BATCH, left));
            while (taken > 0) {
                interrupt |= finish(queue, taken);
                left -= taken;
                taken = takeNext(queue, Math.min(BATCH, left), interrupt);
            }
            leftSome = queue.enableNotifications();
        } while (leftSome && left > 0);
        return interrupt;
    }

    /** A driver that wants no interrupt is spinning, and will ask for more as soon as it has its answer. */
    private int takeNext(DeviceQueue queue, int most, boolean interrupt) {
        int taken = take(queue, most);
        if (taken > 0 || most == 0 || interrupt || lingerNanos == 0) {
            return taken;
        }
        long start = nanoTime.getAsLong();
        do {
            Thread.onSpinWait();
            taken = take(queue, most);
        } while (taken == 0 && nanoTime.getAsLong() - start < lingerNanos);
        return taken;
    }

    private int take(DeviceQueue queue, int most) {
        int taken = 0;
        queue.enter();
        try {
            while (taken < most) {
                Request request = requests[taken];
                if (!queue.poll(request.chain)) {
                    break;
                }
                reader.read(request);
                taken++;
            }
        } finally {
            queue.leave();
        }
        return taken;
    }

    private boolean finish(DeviceQueue queue, int taken) {
        for (int i = 0; i < taken; i++) {
            executor.execute(requests[i]);
        }
        queue.enter();
        try {
            for (int i = 0; i < taken; i++) {
                Request request = requests[i];
                replies.write(request, domains);
                queue.complete(request.chain);
            }
        } finally {
            queue.leave();
        }
        tell(taken);
        // Before the driver can see that something was unmapped, nobody uses it any more.
        domains.settle();
        counters.batch();
        boolean interrupt = queue.publish();
        batchListener.accept(taken);
        return interrupt;
    }

    private void tell(int taken) {
        if (traffic != null) {
            for (int i = 0; i < taken; i++) {
                traffic.served(served.of(requests[i]));
            }
        }
    }
}
