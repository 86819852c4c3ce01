// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.virtio4j.device.VirtioDevice;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.FirstFailure;

/**
 * What makes a device look at its queues: a driver's notification, and an embedder's thread that polls. Both go
 * straight to the device and take no lock. Any thread.
 */
public final class QueueKicks {

    private final VirtioDevice device;
    private final QueueRegisters[] queues;
    private final Activator activator;

    QueueKicks(LifecycleState state, Activator activator) {
        this.device = state.device;
        this.queues = state.queues;
        this.activator = activator;
    }

    /**
     * Says that buffers may be available. Served before it returns, or by the thread that is serving already. Ignored
     * before {@code DRIVER_OK} and for a queue that does not exist or is not enabled.
     *
     * @param queue what the driver wrote
     */
    public void kick(long queue) {
        Activation active = activator.current();
        if (active != null && queue >= 0 && queue < queues.length && queues[(int) queue].enabled()) {
            DeviceQueue kicked = active.queue((int) queue);
            try {
                device.kicked((int) queue);
            } catch (RuntimeException | Error failure) {
                FirstFailure.throwIt(active.kickFailed((int) queue, kicked, failure));
            }
        }
    }

    /**
     * Kicks every queue: at {@code DRIVER_OK}, since kicks before it were ignored, and when memory was exchanged. What
     * one queue's service throws keeps no other from being served, and comes out at the end.
     */
    public void kickAll() {
        Throwable thrown = null;
        for (int i = 0; i < queues.length; i++) {
            try {
                kick(i);
            } catch (RuntimeException | Error failure) {
                thrown = FirstFailure.join(thrown, failure);
            }
        }
        FirstFailure.throwIt(thrown);
    }

    /**
     * Looks at every queue, for an embedder whose driver does not notify. Allocates nothing; before {@code DRIVER_OK}
     * there is nothing to look at. What one queue's service throws comes out when all were looked at.
     *
     * @return how many buffers were given back, as {@link VirtioDevice#poll} counts them
     */
    public int poll() {
        Activation active = activator.current();
        if (active == null) {
            return 0;
        }
        int given = 0;
        Throwable thrown = null;
        for (int i = 0; i < queues.length; i++) {
            DeviceQueue queue = active.queue(i);
            try {
                given += queue == null ? 0 : device.poll(i);
            } catch (RuntimeException | Error failure) {
                thrown = FirstFailure.join(thrown, active.kickFailed(i, queue, failure));
            }
        }
        FirstFailure.throwIt(thrown);
        return given;
    }
}
