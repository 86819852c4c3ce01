// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

/**
 * How a life cycle reaches the guest through its transport. Called from any thread, and under no lock but as stated.
 */
public interface TransportSignals {

    /**
     * Sends a used buffer notification.
     *
     * @param queue index of the queue that has used buffers
     */
    void queueInterrupt(int queue);

    /** Sends a configuration change notification. */
    void configInterrupt();

    /**
     * Says that the driver sets {@code DRIVER_OK}, before any queue is opened. Called under the life cycle's control
     * lock.
     */
    default void starting() {
        // A transport without a bus master bit has nothing to open.
    }

    /**
     * Withdraws what is pending for one queue, because it was reset or disabled (virtio 1.4, section 2.6.1.1.1). Called
     * under the life cycle's control lock, after the queue's last interrupt; {@link #updateLine} follows.
     *
     * @param queue index of the queue
     */
    default void queueEnded(int queue) {
        // A transport that keeps no event has nothing to withdraw.
    }

    /** Sets the interrupt line to the level that the pending events ask for. */
    default void updateLine() {
        // Not every transport has a line.
    }

    /**
     * Withdraws what is pending, because the device was reset. Called under the life cycle's control lock, after the
     * last interrupt of the old activation.
     */
    void deviceReset();
}
