// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;

/**
 * When guest memory can be had for the buffers at work. Gates that close or pause, memory that is exchanged, queues
 * that are shut and buffers that are cut off all come down to one of these three answers, and {@link #of} is where they
 * do.
 */
enum Reach {

    /** In this section: go on. */
    NOW,

    /**
     * Not in this section, but in a later one: the embedder is exchanging memory, or the device's function sleeps. What
     * is at work waits.
     */
    LATER,

    /**
     * Never again: the queue was shut, or DMA was stopped since the buffers were taken, even if it goes on by now. What
     * is at work is dropped.
     */
    NEVER;

    /** For a ring with nothing at work. Inside a section, and the same throughout it. */
    static Reach of(DeviceQueue queue) {
        if (queue.isReachable()) {
            return NOW;
        }
        return queue.isAway() ? LATER : NEVER;
    }

    /** For a batch that was taken, by any buffer of it, since all of them were taken in one section. */
    static Reach of(DeviceQueue queue, Chain taken) {
        return taken.isCutOff() ? NEVER : of(queue);
    }
}
