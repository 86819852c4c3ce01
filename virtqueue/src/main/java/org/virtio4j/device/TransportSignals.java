// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

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
     * Forgets what is pending, since the device was reset. Called under the life cycle's control lock, after the last
     * interrupt of the old activation.
     */
    void deviceReset();
}
