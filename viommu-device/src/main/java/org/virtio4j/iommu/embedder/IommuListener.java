// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.vmm.Access;

/**
 * Observes an IOMMU: what its driver asks and is answered, what the devices behind it may not do, and what a request
 * waits for. The embedder implements the methods it needs, to log, to measure, to record, or to check a driver. A
 * builder takes any number of listeners; they are called in the order in which the builder got them.
 *
 * <p>An observer cannot refuse anything; a {@link MappingListener} can. What a method throws harms nothing: it is
 * counted ({@link IommuCounters#listenerFailures}), the last one can be read ({@link
 * IommuCounters#lastListenerFailure}), the listeners that follow are called, and the request, the queue and the
 * devices go on. A {@link VirtualMachineError} alone is passed on, because it says that the JVM is in trouble and not
 * the observer: it is treated as if the device had thrown it.
 *
 * <p>Each method says under which lock it is called. Calls under one lock come one at a time. No method may call back
 * into the IOMMU, except {@link #unreservedDoorbell}. Every method may read status, configuration and configuration
 * generation of any device. It must call nothing else of a device: a thread that waits for this IOMMU may hold the lock
 * of that device.
 */
public interface IommuListener {

    /**
     * Says that this listener writes down the traffic, so that it can be done again. Then {@link
     * ServedRequest#copyReadable} has the bytes of each request, and {@link #faulted} is called at the fault's place
     * among the requests. Both cost time: each request is copied before it is read, and a device whose access was
     * refused waits for the control lock of the IOMMU.
     *
     * @return the same each time; asked once, when the IOMMU is made
     */
    default boolean recordsTraffic() {
        return false;
    }

    /**
     * The driver has set {@code FEATURES_OK}. Under the locks of the IOMMU's life cycle and control.
     *
     * @param accepted the features, those of rings and transports included
     */
    default void negotiated(Features accepted) {
        // Observers choose what they need.
    }

    /**
     * The driver has set {@code DRIVER_OK}. Under the locks of the IOMMU's life cycle and control.
     *
     * @param requestQueueSize entries of the request queue, 0 if it is not enabled
     * @param eventQueueSize   entries of the event queue, 0 if it is not enabled
     */
    default void activated(int requestQueueSize, int eventQueueSize) {
        // Observers choose what they need.
    }

    /**
     * The IOMMU was reset: endpoints are attached to nothing. Under the locks of the IOMMU's life cycle and control.
     *
     * @param kind how much was taken back
     */
    default void reset(ResetKind kind) {
        // Observers choose what they need.
    }

    /**
     * The driver has written the bypass byte, and it counts from now on. Under the locks of the IOMMU's life cycle and
     * control.
     *
     * @param on what was written
     */
    default void bypassWritten(boolean on) {
        // Observers choose what they need.
    }

    /**
     * A request was carried out, refused or not understood, and its answer was written to the driver's buffer; the
     * driver cannot see the answer yet. In the order of the ring, under the control lock of the IOMMU.
     *
     * @param request valid until this returns
     */
    default void served(ServedRequest request) {
        // Observers choose what they need.
    }

    /**
     * The driver can see the answers to a batch of requests, all of which {@link #served} told of. Under the control
     * lock of the IOMMU.
     *
     * @param requests how many were answered
     */
    default void batchPublished(int requests) {
        // Observers choose what they need.
    }

    /**
     * The driver has kicked, perhaps more than once, and the requests that were available are served. Under the control
     * lock of the IOMMU.
     */
    default void kicked() {
        // Observers choose what they need.
    }

    /**
     * An access of an endpoint was refused, and will be reported to the driver when there is a buffer. A fault that is
     * reported to no driver is only counted. On the thread of the device that tried, under the lock of the event queue.
     *
     * <p>If a listener {@linkplain #recordsTraffic records}, also under the control lock of the IOMMU: what the driver
     * did before this call is the reason. A fault whose reason the driver has removed meanwhile is then told to no
     * listener, here or by {@link #reported}.
     *
     * @param endpoint who tried
     * @param iova     the address
     * @param access   what was tried
     */
    default void faulted(int endpoint, long iova, Access access) {
        // Observers choose what they need.
    }

    /**
     * A fault that {@link #faulted} told of was written to a buffer of the event queue. In the order of the ring, on
     * any thread, under the lock of the event queue.
     *
     * @param reason   one of the reasons of {@link org.virtio4j.wire.iommu.FaultEvent}
     * @param flags    its flags
     * @param endpoint who tried
     * @param address  the address
     */
    default void reported(int reason, int flags, int endpoint, long address) {
        // Observers choose what they need.
    }

    /**
     * A request or a reset has waited for a device to leave its section for longer than the {@linkplain
     * org.virtio4j.iommu.VirtioIommuBuilder#stallLimit limit}. Called once a wait, by the thread that waits and goes on
     * waiting, under the control lock of the IOMMU; for a reset or a write of the bypass byte under its life cycle's,
     * too.
     *
     * @param holder      the name of the {@link org.virtio4j.dma.DmaHandle} whose section does not end
     * @param waitedNanos how long the wait has lasted, in nanoseconds
     */
    default void stalled(String holder, long waitedNanos) {
        // Observers choose what they need.
    }

    /**
     * The driver has mapped what looks like the doorbell of its interrupts, and no region of kind MSI of this endpoint
     * holds it. It is a page without memory, mapped with the MMIO flag or as the first of a domain. Where the
     * embedder's interrupt controller is reached by the physical address, such as QEMU's, the guest gets no interrupt
     * of the endpoint's messages, and hangs without an error. Give the endpoint a {@link ReservedRegion} of that kind
     * that holds {@code physStart}, such as {@link ReservedRegions#QEMU_VIRT_ITS}. A doorbell that the IOMMU's own
     * memory has as a region is reached by mappings, and is not told.
     *
     * <p>Once for each endpoint until the next reset of the IOMMU. On any thread that kicks the IOMMU, under no lock,
     * when the driver may have seen the answer.
     *
     * @param endpoint  its id
     * @param virtStart first I/O-virtual address
     * @param physStart guest-physical address that it leads to
     */
    default void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        // Observers choose what they need.
    }
}
