// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;

/**
 * Stops one queue while the device goes on (virtio 1.4, section 2.6.1): stopped under the control lock, waited for
 * outside of it, finished under it.
 */
final class QueueStop {

    private final LifecycleState state;
    private final Activator activator;
    private final Endings endings;

    QueueStop(LifecycleState state, Activator activator) {
        this.state = state;
        this.activator = activator;
        this.endings = state.endings;
    }

    /** Under the control lock; what came out of the device, whose queue ends all the same. */
    @Nullable Throwable begin(@Nullable Activation active, int index, boolean reset) {
        activator.shut(active, index);
        endings.beginQueue(active, index, reset);
        return FirstFailure.after(null, () -> state.device.queueStopped(index));
    }

    /**
     * Waits for the end of what was begun, and then throws what is to come out of it. Under no lock.
     *
     * @param failed what the device has thrown, which then needs a reset: nobody knows what it goes on with
     * @param what   comes before that in the reason
     */
    void await(int index, long limitNanos, @Nullable Activation active, @Nullable Throwable failed, String what) {
        Throwable thrown = failed;
        if (active != null && failed != null) {
            thrown = FirstFailure.after(failed, () -> active.needsReset("queue " + index + ": " + what + failed));
        }
        thrown = FirstFailure.after(thrown, () -> endings.closeShut(state.lock));
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> {
            boolean ignored = new EndingWait(state.reports.listener()).await(() -> finish(index), limitNanos);
        }));
    }

    /** Finishes the end of a queue if that can be finished; true if the queue is not being stopped any more. */
    boolean finish(int index) {
        boolean finished;
        boolean over;
        Throwable thrown = null;
        state.lock.lock();
        try {
            boolean reset = endings.isReset(index);
            finished = endings.finishQueue(index);
            if (finished) {
                thrown = FirstFailure.after(null, () -> resetQueue(index, reset));
            }
            over = !endings.isEnding(index);
        } finally {
            state.lock.unlock();
        }
        FirstFailure.throwIt(finished ? FirstFailure.after(thrown, state.signals::updateLine) : null);
        return over;
    }

    private void resetQueue(int index, boolean reset) {
        state.queues[index].enabled(false);
        if (reset) {
            state.queues[index].reset();
        }
        state.signals.queueEnded(index);
    }
}
