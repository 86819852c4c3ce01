// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.grace;

/**
 * Hears that somebody waits for a section that lasts longer than it should. The embedder implements it, to log it or
 * to raise an alarm.
 *
 * <p>Called by the thread that waits, under the locks that it holds. That is an IOMMU's control lock if a request or a
 * reset of the IOMMU takes something away, and for a reset also the lock of its life cycle. It is a PCI function's lock
 * if bus mastering goes off. Otherwise it is none. So it should look at no device.
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
