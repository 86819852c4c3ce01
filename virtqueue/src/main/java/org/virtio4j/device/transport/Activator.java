// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.vmm.FirstFailure;

/**
 * Starts a device at {@code DRIVER_OK}, opens and shuts its queues, and knows which activation is the current one.
 * Under the control lock, except {@link #current}.
 */
final class Activator {

    /** Makes the device's side of a ring; the layout follows from what was negotiated. */
    interface RingFactory {
        DeviceQueue open(QueueSettings settings, DmaHandle dma);
    }

    private final LifecycleState state;
    private final ConfigWindow config;
    private final RingFactory rings;
    private final boolean polled;
    private volatile @Nullable Activation current;

    Activator(LifecycleState state, ConfigWindow config, RingFactory rings) {
        this.state = state;
        this.config = config;
        this.rings = rings;
        this.polled = state.device.isPolled();
    }

    /** The activation that the device works for, null if it was not started. Any thread, no lock. */
    @Nullable Activation current() {
        return current;
    }

    boolean isPolled() {
        return polled;
    }

    void start(Features negotiated) {
        state.signals.starting();
        Activation fresh = new Activation(state, config, negotiated);
        try {
            for (int i = 0; i < state.queues.length; i++) {
                if (state.queues[i].enabled()) {
                    open(fresh, i);
                }
            }
            state.device.activate(fresh);
            current = fresh;
        } catch (RuntimeException | Error failure) {
            boolean ignored = state.reports.needReset("could not start: " + failure);
            FirstFailure.throwIt(FirstFailure.after(failure, () -> undo(fresh)));
        }
    }

    private void undo(Activation fresh) {
        shutAll(fresh);
        state.device.stop();
    }

    /** Takes the current activation away, so that it gives nothing any more; null if there was none. */
    @Nullable Activation end() {
        Activation ended = current;
        current = null;
        if (ended != null) {
            shutAll(ended);
        }
        return ended;
    }

    private void shutAll(Activation ended) {
        for (int i = 0; i < state.queues.length; i++) {
            shut(ended, i);
        }
        ended.end();
    }

    void open(Activation active, int index) {
        QueueSettings settings = state.queues[index].settings(active.features(), state.dma.translated(), polled);
        DmaHandle handle = state.dma.open("queue " + index + " of device type " + state.info.deviceType());
        try {
            active.place(index, rings.open(settings, handle));
        } catch (RuntimeException | Error failure) {
            // There is no queue yet whose close would close it.
            FirstFailure.throwIt(FirstFailure.after(failure, handle::close));
        }
    }

    /** Lets nothing of a queue begin any more; the endings wait for what is open. */
    void shut(@Nullable Activation active, int index) {
        DeviceQueue open = active == null ? null : active.queue(index);
        if (open != null) {
            Objects.requireNonNull(active).place(index, null);
            state.endings.shut(open);
        }
    }
}
