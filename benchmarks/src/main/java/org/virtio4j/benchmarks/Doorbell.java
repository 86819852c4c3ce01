// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

/** What a hypervisor does when its guest writes the doorbell of queue 0: one access to the transport's registers. */
public interface Doorbell {

    /** Returns when the device has served its queue. */
    void write();
}
