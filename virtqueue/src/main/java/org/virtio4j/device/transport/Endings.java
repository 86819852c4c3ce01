// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.FirstFailure;

/**
 * What of one device is being stopped: the whole of it, or single queues. What was stopped ends when nobody is at work
 * for it any more and no signal of it is under way.
 *
 * <p>Guarded by the life cycle's lock, except {@link #reset}, {@link #isEnding} and {@link #isReset}.
 */
final class Endings {

    /** A queue that was closed, and the activation whose signals may still be under way for it. */
    private record QueueEnding(@Nullable Activation context, boolean reset) {
    }

    private final VirtioDevice device;
    private final AtomicReferenceArray<@Nullable QueueEnding> queues;
    private volatile @Nullable ResetKind reset;
    private @Nullable Activation ended;

    /** Queues that let no section begin any more, but may have one open; a thread that waits for that takes one out. */
    private final ArrayDeque<DeviceQueue> closing = new ArrayDeque<>();

    /** How many of them are being waited for. */
    private int awaited;

    Endings(VirtioDevice device, int queueCount) {
        this.device = device;
        this.queues = new AtomicReferenceArray<>(queueCount);
    }

    /** The reset that is under way, null if there is none. */
    @Nullable ResetKind reset() {
        return reset;
    }

    void beginReset(@Nullable Activation context, ResetKind kind) {
        ResetKind before = reset;
        if (before == null) {
            ended = context;
        }
        reset = before != null && before.compareTo(kind) > 0 ? before : kind;
    }

    /** The reset that can be finished now, and is not under way any more; null if there is none. */
    @Nullable ResetKind takeFinishedReset() {
        ResetKind kind = reset;
        if (kind == null || !isQuiet()) {
            return null;
        }
        ended = null;
        for (int i = 0; i < queues.length(); i++) {
            queues.set(i, null);
        }
        reset = null;
        return kind;
    }

    /** A queue that was shut must be closed, by {@link #closeShut}, before anything ends. */
    void shut(DeviceQueue queue) {
        queue.shut();
        closing.add(queue);
    }

    /** Waits for the sections of queues that were shut; takes the lock, but not while it waits. */
    void closeShut(Lock lock) {
        FirstFailure failure = new FirstFailure();
        for (DeviceQueue next = nextShut(lock, false); next != null; next = nextShut(lock, true)) {
            // A translator or a listener of stalls may throw; the others are waited for all the same.
            failure.run(next::close);
        }
        failure.rethrow();
    }

    private @Nullable DeviceQueue nextShut(Lock lock, boolean closedOne) {
        lock.lock();
        try {
            awaited -= closedOne ? 1 : 0;
            DeviceQueue next = closing.poll();
            awaited += next == null ? 0 : 1;
            return next;
        } finally {
            lock.unlock();
        }
    }

    /** A queue that is being stopped already: it ends once for both, as thoroughly as the two. */
    void beginQueue(@Nullable Activation context, int index, boolean queueReset) {
        QueueEnding before = queues.get(index);
        queues.set(index, before == null
                ? new QueueEnding(context, queueReset)
                : new QueueEnding(before.context == null ? context : before.context, before.reset || queueReset));
    }

    boolean isEnding(int index) {
        return queues.get(index) != null;
    }

    boolean isReset(int index) {
        QueueEnding ending = queues.get(index);
        return ending != null && ending.reset;
    }

    /** True if the queue was being stopped and is so no more. */
    boolean finishQueue(int index) {
        QueueEnding ending = queues.get(index);
        if (ending == null || isClosing() || !device.isIdle(index)) {
            return false;
        }
        Activation context = ending.context;
        if (context != null && !context.isQuiet(index)) {
            return false;
        }
        queues.set(index, null);
        return true;
    }

    private boolean isClosing() {
        return awaited > 0 || !closing.isEmpty();
    }

    private boolean isQuiet() {
        if (isClosing()) {
            return false;
        }
        for (int i = 0; i < queues.length(); i++) {
            QueueEnding ending = queues.get(i);
            Activation context = ending == null ? null : ending.context;
            if (!device.isIdle(i) || (context != null && !context.isQuiet(i))) {
                return false;
            }
        }
        Activation context = ended;
        return context == null || context.isQuiet();
    }
}
