// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.vmm.Access;

/**
 * Watches all that goes between an IOMMU and its driver, in the order in which the IOMMU saw it: enough to do it again.
 * The embedder implements it, to record.
 *
 * <p>Calls come one at a time, but for {@link #reported}, under the control lock of the IOMMU, which must not be called
 * back. The driver and the devices behind the IOMMU wait meanwhile. {@link #faulted} comes in a turn of the event queue
 * besides, {@link #reported} in that alone, and what follows from a write to a register under the IOMMU's life
 * cycle's, too.
 *
 * <p>Under that lock a listener may read status, configuration and generation of any device; anything else of a device
 * may be held by a thread that waits for this IOMMU.
 */
public interface TrafficListener {

    /**
     * The driver has set {@code FEATURES_OK}.
     *
     * @param accepted the features, those of rings and transports included
     */
    void negotiated(Features accepted);

    /**
     * The driver has set {@code DRIVER_OK}.
     *
     * @param requestQueueSize entries of the request queue, 0 if it is not enabled
     * @param eventQueueSize   entries of the event queue, 0 if it is not enabled
     */
    void activated(int requestQueueSize, int eventQueueSize);

    /**
     * The IOMMU was reset: endpoints are attached to nothing.
     *
     * @param kind how much was taken back
     */
    void reset(ResetKind kind);

    /**
     * The driver has written the bypass byte, and it counts from now on.
     *
     * @param on what was written
     */
    void bypassWritten(boolean on);

    /**
     * A request was carried out, refused or not understood, and written to the driver's buffer; the driver cannot see
     * that yet. In the order of the ring.
     *
     * @param request valid until this returns
     */
    void served(ServedRequest request);

    /** The driver has kicked, perhaps more than once, and the requests that were available are served. */
    void kicked();

    /**
     * An access of an endpoint was refused, and still would be: by what the driver did before this call. It will be
     * reported when there is a buffer. What the driver made legal meanwhile is not told, nor what is never reported.
     *
     * @param endpoint who tried
     * @param iova     the address
     * @param access   what was tried
     */
    void faulted(int endpoint, long iova, Access access);

    /**
     * A fault that {@link #faulted} told of was written to a buffer of the event queue. In the order of the ring, on
     * any thread, under the lock of the event queue, perhaps while another method runs.
     *
     * @param reason   one of the reasons of {@link org.virtio4j.wire.iommu.FaultEvent}
     * @param flags    its flags
     * @param endpoint who tried
     * @param address  the address
     */
    void reported(int reason, int flags, int endpoint, long address);
}
