// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import java.util.Optional;

/**
 * What an IOMMU has done since it was made; resets do not clear it. Any thread may read, at any time; the numbers only
 * grow. {@link Object#toString} gives all of it on one line, for a log; the form of that line may change. The device
 * implements it.
 */
public interface IommuCounters {

    /**
     * Requests of one type that were answered with a status.
     *
     * @param type one of {@link org.virtio4j.wire.iommu.RequestType}
     * @return a count; 0 for a type that does not exist
     */
    long requests(int type);

    /**
     * Requests that were answered with one status.
     *
     * @param status one of {@link org.virtio4j.wire.iommu.RequestStatus}
     * @return a count; 0 for a status that does not exist
     */
    long statuses(int status);

    /**
     * Requests that went back unwritten: of unknown type, or too short.
     *
     * @return a count
     */
    long unanswered();

    /**
     * Requests that were carried out, but whose answer could not be written where the driver wanted it.
     *
     * @return a count
     */
    long unwritableReplies();

    /**
     * Mappings that UNMAP requests removed.
     *
     * @return a count
     */
    long removedMappings();

    /**
     * MAP requests that {@link IommuListener#unreservedDoorbell} is about, all of them.
     *
     * @return a count
     */
    long unreservedDoorbells();

    /**
     * Batches of requests, each made visible by one store of the used index.
     *
     * @return a count
     */
    long batches();

    /**
     * Addresses that the devices behind it have looked up: one for each piece of a transfer that is contiguous after
     * translation, refused ones included.
     *
     * @return a count
     */
    long translations();

    /**
     * Translations that a device remembered, so that the mapping table was not asked.
     *
     * @return a count
     */
    long cacheHits();

    /**
     * Faults that were written to the event queue.
     *
     * @return a count
     */
    long reportedFaults();

    /**
     * Faults that are reported to no driver, because there was no driver, or no buffer and too many faults were waiting
     * already, or because the endpoint was unplugged before there was a buffer.
     *
     * @return a count
     */
    long lostFaults();

    /**
     * Faults that were the same as the one waiting before them, and so are told once.
     *
     * @return a count
     */
    long repeatedFaults();

    /**
     * Exceptions out of an {@link IommuListener}: calls of one listener that it ended with one.
     *
     * @return a count
     */
    long listenerFailures();

    /**
     * The last of those exceptions.
     *
     * @return what was thrown; empty if nothing was
     */
    Optional<Throwable> lastListenerFailure();
}
