// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.grace;

/**
 * Hears that somebody waits for a section that lasts longer than it should. The embedder implements it, to log it or
 * to raise an alarm.
 *
 * <p>Called by the thread that waits, under what that holds: an IOMMU's control lock where a request or a reset of the
 * IOMMU takes something away, and with a reset its life cycle's; a PCI function's where bus mastering goes off; else
 * nothing. So it should look at no device.
 */
public interface StallListener {

    /**
     * Called once a wait, on the waiting thread, which goes on waiting afterwards.
     *
     * @param holder      the name of the {@code DmaHandle} whose section does not end
     * @param waitedNanos how long the wait has lasted, in nanoseconds
     */
    void stalled(String holder, long waitedNanos);
}
