// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.virtio4j.device.ResetKind;
import org.virtio4j.device.SoleOwner;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.vmm.FirstFailure;

/**
 * The reset of a whole device in its three phases (see {@link VirtioDevice}): stopped under the control lock, waited
 * for outside of it, finished under it. The last reset of a life cycle also gives the device up.
 */
final class DeviceReset {

    private final LifecycleState state;
    private final Endings endings;
    private final Activator activator;
    private final FeatureNegotiation features;
    private final ConfigWindow config;

    /** How the device knows this life cycle: the next owner of the device finishes the last reset through it. */
    private final SoleOwner.Holder holder = this::finishLast;

    DeviceReset(LifecycleState state, Activator activator, FeatureNegotiation features, ConfigWindow config) {
        this.state = state;
        this.endings = state.endings;
        this.activator = activator;
        this.features = features;
        this.config = config;
    }

    /** Takes the device for this life cycle alone. */
    void claim() {
        SoleOwner owner = state.device.owner();
        if (owner != null) {
            owner.take(holder, state.device);
        }
    }

    /** Lets no driver start the device any more: the next reset by the embedder gives the device up. */
    void endAfterNext() {
        state.lock.lock();
        try {
            state.over = true;
        } finally {
            state.lock.unlock();
        }
    }

    /** Resets, and waits up to the transport's patience; true if the reset is complete. */
    boolean reset(ResetKind kind) {
        boolean[] complete = new boolean[1];
        Throwable thrown = FirstFailure.after(null, () -> complete[0] = !stop(kind));
        if (complete[0]) {
            return true;
        }
        // Whatever came out of the device or of an embedder, the reset goes on.
        thrown = FirstFailure.after(thrown, () -> endings.closeShut(state.lock));
        EndingWait wait = new EndingWait(state.reports.listener());
        thrown = FirstFailure.after(thrown, () -> complete[0] = wait.await(this::finish, state.patienceNanos));
        FirstFailure.throwIt(thrown);
        return complete[0];
    }

    /** The status after a look that finishes the reset if that can be finished. */
    int statusAfterLook() {
        boolean ignored = finish();
        return state.status.bits();
    }

    /** The same, and what follows if no reset is under way any more. */
    int statusAfterLook(Runnable follow) {
        int[] status = new int[1];
        Throwable thrown = FirstFailure.after(null, () -> status[0] = statusAfterLook());
        if (!state.isResetting()) {
            thrown = FirstFailure.after(thrown, follow);
        }
        FirstFailure.throwIt(thrown);
        return status[0];
    }

    /** False if there is nothing to reset, because the device may have another owner. */
    private boolean stop(ResetKind kind) {
        state.lock.lock();
        try {
            if (!state.givenUp) {
                begin(kind);
            }
            return !state.givenUp;
        } finally {
            state.lock.unlock();
        }
    }

    /** Stops everything, under the lock. A reset that comes while another one waits makes it as thorough as the two. */
    private void begin(ResetKind kind) {
        Activation ended = activator.end();
        endings.beginReset(ended, kind);
        state.device.stop();
    }

    /** Finishes a reset that is under way if that can be finished; true if none is under way any more. */
    boolean finish() {
        ResetKind kind;
        Throwable thrown;
        state.lock.lock();
        try {
            kind = endings.takeFinishedReset();
            if (kind == null) {
                return !state.isResetting();
            }
            thrown = FirstFailure.after(null, () -> resetAll(kind));
        } finally {
            state.lock.unlock();
        }
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> state.reports.listener().resetCompleted(kind)));
        return true;
    }

    /** The device was at work when this life cycle ended: the next owner finishes the reset, if that is possible. */
    private void finishLast() {
        boolean ended;
        state.lock.lock();
        try {
            ended = state.over;
        } finally {
            state.lock.unlock();
        }
        if (ended) {
            boolean ignored = finish();
        }
    }

    private void resetAll(ResetKind kind) {
        // Whatever comes out of the device or its transport, the driver finds a device that was reset.
        Throwable thrown = FirstFailure.after(null, () -> state.device.reset(kind));
        for (QueueRegisters queue : state.queues) {
            queue.reset();
        }
        features.reset();
        state.status.clearReason();
        thrown = FirstFailure.after(thrown, state.signals::deviceReset);
        state.status.clear();
        // A driver's own reset may be complete between the end and the reset that follows on it, which does more.
        if (state.over && kind != ResetKind.DEVICE) {
            thrown = FirstFailure.after(thrown, this::giveUpDevice);
        }
        FirstFailure.throwIt(thrown);
    }

    private void giveUpDevice() {
        config.giveUp();
        SoleOwner owner = state.device.owner();
        if (owner != null) {
            owner.release(holder);
        }
    }
}
