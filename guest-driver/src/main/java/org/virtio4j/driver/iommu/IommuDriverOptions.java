// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.FeatureSet;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.VirtqueueLimit;
import org.virtio4j.wire.iommu.IommuFeature;

/**
 * How an {@link IommuDriver} behaves. {@link #LINUX} is how Linux does. Immutable.
 *
 * @param wanted           features to accept as far as they are offered
 * @param requestQueueSize entries of the request queue, a power of two; the device's maximum if that is less
 * @param eventQueueSize   entries of the event queue, a power of two; the device's maximum if that is less
 * @param eventBuffers     buffers to put into the event queue at the start; the size of the queue if that is less
 * @param tableSize        descriptors of each indirect table, at least 2, once {@link FeatureBit#INDIRECT_DESC} is
 *                         negotiated; a request of more pieces goes into the queue's own table
 * @param pollLimit        how often to find the used ring without an answer before {@link DriverResult#NO_ANSWER}
 */
public record IommuDriverOptions(FeatureSet wanted, int requestQueueSize, int eventQueueSize, int eventBuffers,
        int tableSize, long pollLimit) {

    /**
     * All that Linux accepts of a virtio-iommu and a split ring, queues as large as the device has them, a full event
     * queue; and, unlike Linux, an end to waiting after some seconds.
     */
    public static final IommuDriverOptions LINUX = new IommuDriverOptions(
            FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM, FeatureBit.INDIRECT_DESC,
                    FeatureBit.EVENT_IDX, IommuFeature.INPUT_RANGE, IommuFeature.DOMAIN_RANGE, IommuFeature.MAP_UNMAP,
                    IommuFeature.PROBE, IommuFeature.MMIO, IommuFeature.BYPASS_CONFIG),
            VirtqueueLimit.MAX_SIZE, VirtqueueLimit.MAX_SIZE, VirtqueueLimit.MAX_SIZE, 4, 10_000_000);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a size is no power of two up to 32,768, a table has less than 2 entries, or
     *         another number is negative
     */
    public IommuDriverOptions {
        checkSize("requestQueueSize", requestQueueSize);
        checkSize("eventQueueSize", eventQueueSize);
        if (eventBuffers < 0 || pollLimit < 0 || tableSize < 2) {
            throw new IllegalArgumentException("eventBuffers=" + eventBuffers + " pollLimit=" + pollLimit
                    + " tableSize=" + tableSize + "; none may be negative, and tableSize not below 2");
        }
    }

    /**
     * These options with other features.
     *
     * @param features to accept as far as they are offered
     * @return the options
     */
    public IommuDriverOptions withWanted(FeatureSet features) {
        return new IommuDriverOptions(features, requestQueueSize, eventQueueSize, eventBuffers, tableSize, pollLimit);
    }

    /**
     * These options with smaller queues.
     *
     * @param requests entries of the request queue
     * @param events   entries of the event queue
     * @return the options
     * @throws IllegalArgumentException if one is no power of two up to 32,768
     */
    public IommuDriverOptions withQueueSizes(int requests, int events) {
        return new IommuDriverOptions(wanted, requests, events, eventBuffers, tableSize, pollLimit);
    }

    /**
     * These options with another number of event buffers.
     *
     * @param buffers how many, 0 for an event queue that stays empty
     * @return the options
     * @throws IllegalArgumentException if it is negative
     */
    public IommuDriverOptions withEventBuffers(int buffers) {
        return new IommuDriverOptions(wanted, requestQueueSize, eventQueueSize, buffers, tableSize, pollLimit);
    }

    /**
     * These options with another end to waiting.
     *
     * @param polls how often to find no answer
     * @return the options
     * @throws IllegalArgumentException if it is negative
     */
    public IommuDriverOptions withPollLimit(long polls) {
        return new IommuDriverOptions(wanted, requestQueueSize, eventQueueSize, eventBuffers, tableSize, polls);
    }

    private static void checkSize(String name, int size) {
        if (size < 1 || Integer.bitCount(size) != 1 || size > VirtqueueLimit.MAX_SIZE) {
            throw new IllegalArgumentException(name + "=" + size + ", but a power of two up to "
                    + VirtqueueLimit.MAX_SIZE + " is needed");
        }
    }
}
