// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

/**
 * Every callback that an embedder can hand in and that is called while a guest uses a device, with the method that it
 * stands for; {@link CallbackListTest} says where the others are, and finds what is missing.
 */
enum Callback {

    // The IOMMU's, on whatever thread serves its queues or has faulted
    NANO_TIME(Owner.IOMMU, Told.REASON, "LongSupplier.getAsLong"),
    MAPPING_MAP(Owner.IOMMU, Told.REASON, "MappingListener.map"),
    MAPPING_BEGIN(Owner.IOMMU, Told.REASON, "MappingListener.begin"),
    MAPPING_COMMIT(Owner.IOMMU, Told.REASON, "MappingListener.commit"),
    MAPPING_UNMAP(Owner.IOMMU, Told.REASON, "MappingListener.unmap"),
    MAPPING_ATTACH(Owner.IOMMU, Told.REASON, "MappingListener.attach"),
    MAPPING_DETACHED(Owner.IOMMU, Told.REASON, "MappingListener.detached"),
    LISTENER_NEGOTIATED(Owner.IOMMU, Told.COUNTED, "IommuListener.negotiated"),
    LISTENER_ACTIVATED(Owner.IOMMU, Told.COUNTED, "IommuListener.activated"),
    LISTENER_RESET(Owner.IOMMU, Told.COUNTED, "IommuListener.reset"),
    LISTENER_BYPASS_WRITTEN(Owner.IOMMU, Told.COUNTED, "IommuListener.bypassWritten"),
    LISTENER_SERVED(Owner.IOMMU, Told.COUNTED, "IommuListener.served"),
    LISTENER_BATCH(Owner.IOMMU, Told.COUNTED, "IommuListener.batchPublished"),
    LISTENER_KICKED(Owner.IOMMU, Told.COUNTED, "IommuListener.kicked"),
    LISTENER_FAULTED(Owner.IOMMU, Told.COUNTED, "IommuListener.faulted"),
    LISTENER_REPORTED(Owner.IOMMU, Told.COUNTED, "IommuListener.reported"),
    LISTENER_STALLED(Owner.IOMMU, Told.COUNTED, "IommuListener.stalled"),
    LISTENER_DOORBELL(Owner.IOMMU, Told.COUNTED, "IommuListener.unreservedDoorbell"),
    IOMMU_LINE(Owner.IOMMU, Route.LINE, "InterruptLine.set"),
    IOMMU_VECTOR(Owner.IOMMU, Route.VECTORS, "InterruptSink.raise"),
    IOMMU_WITHDRAW(Owner.IOMMU, Route.VECTORS, "InterruptSink.withdraw"),
    IOMMU_MESSAGE(Owner.IOMMU, Route.MESSAGES, "MessageSink.send"),
    IOMMU_FEATURES_REFUSED(Owner.IOMMU, Told.NOBODY, "DeviceListener.featuresRefused"),
    IOMMU_NEEDS_RESET(Owner.IOMMU, Told.NOBODY, "DeviceListener.needsReset"),
    IOMMU_RESET_COMPLETED(Owner.IOMMU, Told.NOBODY, "DeviceListener.resetCompleted"),

    // A disk's, in kicks or on its worker
    FILE(Owner.DISK, Told.REASON, "the disk's file"),
    DISK_LINE(Owner.DISK, Route.LINE, "InterruptLine.set"),
    DISK_VECTOR(Owner.DISK, Route.VECTORS, "InterruptSink.raise"),
    DISK_WITHDRAW(Owner.DISK, Route.VECTORS, "InterruptSink.withdraw"),
    DISK_MESSAGE(Owner.DISK, Route.MESSAGES, "MessageSink.send"),
    TRANSLATE(Owner.DISK, Told.REASON, "Translator.translate"),
    TRANSLATOR_GENERATION(Owner.DISK, Told.REASON, "Translator.generation"),
    TRANSLATOR_JOIN(Owner.DISK, Told.REASON, "Translator.join"),
    TRANSLATOR_PART(Owner.DISK, Told.REASON, "Translator.part"),
    TRANSLATOR_CACHES(Owner.DISK, Told.REASON, "Translator.caches"),

    /** The translator is another device's, whose queues are not known here; the disk is answered all the same. */
    TRANSLATOR_FAULTED(Owner.DISK, Told.NOBODY, "Translator.faulted"),

    /** Called in between chains by the worker's thread, so no queue is being served. */
    IDLE_STRATEGY(Owner.DISK, Told.NOBODY, "IdleStrategy.idle"),

    /** Hears of a bit that is not set: there is nothing to reset. */
    DISK_FEATURES_REFUSED(Owner.DISK, Told.NOBODY, "DeviceListener.featuresRefused"),

    /** Hears of a reason, which stays the reason. */
    DISK_NEEDS_RESET(Owner.DISK, Told.NOBODY, "DeviceListener.needsReset"),

    /** Hears of a reset that is complete, and stays so. */
    DISK_RESET_COMPLETED(Owner.DISK, Told.NOBODY, "DeviceListener.resetCompleted"),

    // An entropy device's, in kicks
    ENTROPY_SOURCE(Owner.ENTROPY, Told.REASON, "the host's random source"),
    ENTROPY_LINE(Owner.ENTROPY, Route.LINE, "InterruptLine.set"),
    ENTROPY_VECTOR(Owner.ENTROPY, Route.VECTORS, "InterruptSink.raise"),
    ENTROPY_WITHDRAW(Owner.ENTROPY, Route.VECTORS, "InterruptSink.withdraw"),
    ENTROPY_MESSAGE(Owner.ENTROPY, Route.MESSAGES, "MessageSink.send"),
    ENTROPY_FEATURES_REFUSED(Owner.ENTROPY, Told.NOBODY, "DeviceListener.featuresRefused"),
    ENTROPY_NEEDS_RESET(Owner.ENTROPY, Told.NOBODY, "DeviceListener.needsReset"),
    ENTROPY_RESET_COMPLETED(Owner.ENTROPY, Told.NOBODY, "DeviceListener.resetCompleted"),

    // A device of the embedder's own, in kicks or on a thread of its own
    OWN_TAKE(Owner.OWN, Told.REASON, "QueueWork.take"),
    OWN_WORK(Owner.OWN, Told.REASON, "QueueWork.work"),
    OWN_ANSWER(Owner.OWN, Told.REASON, "QueueWork.answer"),
    OWN_ROOM(Owner.OWN, Told.REASON, "QueueWork.room"),
    OWN_LINGERS(Owner.OWN, Told.REASON, "QueueWork.lingers"),
    OWN_BEFORE_PUBLISH(Owner.OWN, Told.REASON, "QueueWork.beforePublish"),
    OWN_PUBLISHED(Owner.OWN, Told.REASON, "QueueWork.published"),
    OWN_PASSED(Owner.OWN, Told.REASON, "QueueWork.passed"),
    OWN_LINE(Owner.OWN, Route.LINE, "InterruptLine.set"),
    OWN_VECTOR(Owner.OWN, Route.VECTORS, "InterruptSink.raise"),
    OWN_WITHDRAW(Owner.OWN, Route.VECTORS, "InterruptSink.withdraw"),
    OWN_MESSAGE(Owner.OWN, Route.MESSAGES, "MessageSink.send"),
    OWN_FEATURES_REFUSED(Owner.OWN, Told.NOBODY, "DeviceListener.featuresRefused"),
    OWN_NEEDS_RESET(Owner.OWN, Told.NOBODY, "DeviceListener.needsReset"),
    OWN_RESET_COMPLETED(Owner.OWN, Told.NOBODY, "DeviceListener.resetCompleted"),
    OWN_NEGOTIATED(Owner.OWN, Told.REASON, "VirtioDevice.negotiated"),
    OWN_ACTIVATE(Owner.OWN, Told.REASON, "VirtioDevice.activate"),
    OWN_STOP(Owner.OWN, Told.REASON, "VirtioDevice.stop"),
    OWN_RESET(Owner.OWN, Told.REASON, "VirtioDevice.reset"),
    OWN_QUEUE_STARTED(Owner.OWN, Told.REASON, "VirtioDevice.queueStarted"),
    OWN_QUEUE_STOPPED(Owner.OWN, Told.REASON, "VirtioDevice.queueStopped"),
    OWN_KICKED(Owner.OWN, Told.REASON, "VirtioDevice.kicked"),

    /** Asked again by the next look at the status, which finishes the reset then. */
    OWN_IS_IDLE(Owner.OWN, Told.NOBODY, "VirtioDevice.isIdle"),
    OWN_READ_CONFIG(Owner.OWN, Told.NOBODY, "VirtioDevice.readConfig"),
    OWN_WRITE_CONFIG(Owner.OWN, Told.NOBODY, "VirtioDevice.writeConfig"),
    OWN_CONFIG_VERSION(Owner.OWN, Told.NOBODY, "VirtioDevice.configVersion"),

    // Guest memory's, on the thread of an embedder who takes some of it away
    MEMORY_STALL(Owner.MEMORY, Told.NOBODY, "StallListener.stalled"),
    MEMORY_RELEASED(Owner.MEMORY, Told.NOBODY, "Runnable.run");

    /** Which device it was given to; the memory is all of theirs. */
    enum Owner { IOMMU, DISK, OWN, ENTROPY, MEMORY }

    /** How the interrupts must leave the devices for the callback to be called; only PCI has more than a line. */
    enum Route { ANY, LINE, VECTORS, MESSAGES }

    /** What becomes of an exception that the callback throws while the device serves or starts. */
    enum Told {
        /** It comes out, and the device says that it needs a reset. */
        REASON,
        /** It comes out, and the device goes on. */
        NOBODY,
        /** It is counted, and harms nothing. */
        COUNTED
    }

    final Owner owner;
    final Route route;
    final Told told;

    /** The interface's simple name and the method's. */
    final String method;

    Callback(Owner owner, Told told, String method) {
        this.owner = owner;
        this.route = Route.ANY;
        this.told = told;
        this.method = method;
    }

    Callback(Owner owner, Route route, String method) {
        this.owner = owner;
        this.route = route;
        this.told = Told.REASON;
        this.method = method;
    }

    /** Whether it may be called on the thread of a worker, beside the guest's. */
    boolean onWorker() {
        return owner == Owner.DISK || owner == Owner.OWN || this == LISTENER_FAULTED || this == LISTENER_REPORTED
                || (owner == Owner.IOMMU && route != Route.ANY);
    }

    /** How many calls a run makes in which this is called while everything runs. */
    int mostCalls() {
        // A stall takes a millisecond, or it would be none.
        return this == LISTENER_STALLED || this == MEMORY_STALL ? 10 : 200;
    }

    /** Whether a queue comes or goes with it, while the device goes on. */
    boolean opensQueue() {
        return this == OWN_QUEUE_STARTED || this == OWN_QUEUE_STOPPED || this == TRANSLATOR_JOIN;
    }
}
