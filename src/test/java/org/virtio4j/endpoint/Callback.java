// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

/**
 * Every callback that an embedder can hand in and that is called while a guest uses a device. Not in the list, since
 * there is nothing to hand in or nothing to wait for: the source of {@link VirtioEntropy}, which is the JDK's own;
 * {@link org.virtio4j.device.DeviceListener#resetDelayed}, which is called after a second; guest memory that was cut
 * short, which {@link BlockMemoryLossTest} shows (an {@link InternalError}, told by the reason alone); what a disk's
 * set-up calls.
 */
enum Callback {

    // The IOMMU's, on whatever thread serves its queues or has faulted
    REQUEST_LISTENER(Owner.IOMMU, Route.ANY, Told.REASON),
    BATCH_LISTENER(Owner.IOMMU, Route.ANY, Told.REASON),
    NANO_TIME(Owner.IOMMU, Route.ANY, Told.REASON),
    MAPPING_MAP(Owner.IOMMU, Route.ANY, Told.REASON),
    MAPPING_UNMAP(Owner.IOMMU, Route.ANY, Told.REASON),
    MAPPING_ATTACHED(Owner.IOMMU, Route.ANY, Told.REASON),
    MAPPING_DETACHED(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_NEGOTIATED(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_ACTIVATED(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_RESET(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_BYPASS_WRITTEN(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_SERVED(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_KICKED(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_FAULTED(Owner.IOMMU, Route.ANY, Told.REASON),
    TRAFFIC_REPORTED(Owner.IOMMU, Route.ANY, Told.REASON),
    STALL_LISTENER(Owner.IOMMU, Route.ANY, Told.REASON),
    IOMMU_LINE(Owner.IOMMU, Route.LINE, Told.REASON),
    IOMMU_VECTOR(Owner.IOMMU, Route.VECTORS, Told.REASON),
    IOMMU_FORGET(Owner.IOMMU, Route.VECTORS, Told.REASON),
    IOMMU_MESSAGE(Owner.IOMMU, Route.MESSAGES, Told.REASON),

    // A disk's, in kicks or on its worker
    FILE(Owner.DISK, Route.ANY, Told.REASON),
    DISK_LINE(Owner.DISK, Route.LINE, Told.REASON),
    DISK_VECTOR(Owner.DISK, Route.VECTORS, Told.REASON),
    DISK_FORGET(Owner.DISK, Route.VECTORS, Told.REASON),
    DISK_MESSAGE(Owner.DISK, Route.MESSAGES, Told.REASON),
    TRANSLATE(Owner.DISK, Route.ANY, Told.REASON),
    TRANSLATOR_GENERATION(Owner.DISK, Route.ANY, Told.REASON),
    TRANSLATOR_JOIN(Owner.DISK, Route.ANY, Told.REASON),
    TRANSLATOR_PART(Owner.DISK, Route.ANY, Told.REASON),
    TRANSLATOR_CACHES(Owner.DISK, Route.ANY, Told.REASON),

    /** The translator is another device's, whose queues are not known here; the disk is answered all the same. */
    TRANSLATOR_FAULTED(Owner.DISK, Route.ANY, Told.NOBODY),

    /** Called in between chains by the worker's thread, so no queue is being served. */
    IDLE_STRATEGY(Owner.DISK, Route.ANY, Told.NOBODY),

    /** Hears of a bit that is not set: there is nothing to reset. */
    FEATURES_REFUSED(Owner.DISK, Route.ANY, Told.NOBODY),

    /** Hears of a reason, which stays the reason. */
    NEEDS_RESET(Owner.DISK, Route.ANY, Told.NOBODY),

    /** Hears of a reset that is complete, and stays so. */
    RESET_COMPLETED(Owner.DISK, Route.ANY, Told.NOBODY),

    // A device of the embedder's own
    OWN_TAKE(Owner.OWN, Route.ANY, Told.REASON),
    OWN_WORK(Owner.OWN, Route.ANY, Told.REASON),
    OWN_ANSWER(Owner.OWN, Route.ANY, Told.REASON),
    OWN_ROOM(Owner.OWN, Route.ANY, Told.REASON),
    OWN_LINGERS(Owner.OWN, Route.ANY, Told.REASON),
    OWN_BEFORE_PUBLISH(Owner.OWN, Route.ANY, Told.REASON),
    OWN_PUBLISHED(Owner.OWN, Route.ANY, Told.REASON),
    OWN_PASSED(Owner.OWN, Route.ANY, Told.REASON),
    OWN_LINE(Owner.OWN, Route.LINE, Told.REASON),
    OWN_NEGOTIATED(Owner.OWN, Route.ANY, Told.REASON),
    OWN_ACTIVATE(Owner.OWN, Route.ANY, Told.REASON),
    OWN_STOP(Owner.OWN, Route.ANY, Told.REASON),
    OWN_RESET(Owner.OWN, Route.ANY, Told.REASON),
    OWN_QUEUE_STARTED(Owner.OWN, Route.ANY, Told.REASON),
    OWN_QUEUE_STOPPED(Owner.OWN, Route.ANY, Told.REASON),

    /**
     * Comes before anything is served, and what comes out of it may be another device's; so the notification is lost,
     * and with it perhaps those that a driver need not send before it was answered.
     */
    OWN_KICKED(Owner.OWN, Route.ANY, Told.LOST),

    /** Asked again by the next look at the status, which finishes the reset then. */
    OWN_IS_IDLE(Owner.OWN, Route.ANY, Told.NOBODY),
    OWN_READ_CONFIG(Owner.OWN, Route.ANY, Told.NOBODY),
    OWN_WRITE_CONFIG(Owner.OWN, Route.ANY, Told.NOBODY);

    /** Which device it was given to. */
    enum Owner { IOMMU, DISK, OWN, ENTROPY }

    /** How the interrupts must leave the devices for the callback to be called; only PCI has more than a line. */
    enum Route { ANY, LINE, VECTORS, MESSAGES }

    /** Whether the device says that it needs a reset when the callback throws while it serves or starts, or goes on. */
    enum Told { REASON, NOBODY, LOST }

    final Owner owner;
    final Route route;
    final Told told;

    Callback(Owner owner, Route route, Told told) {
        this.owner = owner;
        this.route = route;
        this.told = told;
    }
}
