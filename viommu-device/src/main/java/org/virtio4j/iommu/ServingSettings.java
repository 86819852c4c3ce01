// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.function.LongSupplier;
import org.virtio4j.iommu.request.Linger;

/**
 * How the queues are served.
 *
 * @param requestQueueSize largest size of the request queue, in entries
 * @param eventQueueSize   largest size of the event queue, in entries
 * @param polled           whether a thread comes to look, instead of the driver notifying
 * @param lingerNanos      how long to look for another request after the last was answered, in nanoseconds
 * @param nanoTime         what that is measured with
 */
record ServingSettings(int requestQueueSize, int eventQueueSize, boolean polled, long lingerNanos,
        LongSupplier nanoTime) {

    /** A thread that comes again and again need not wait where it is. */
    Linger linger() {
        return new Linger(polled ? 0 : lingerNanos, nanoTime);
    }
}
