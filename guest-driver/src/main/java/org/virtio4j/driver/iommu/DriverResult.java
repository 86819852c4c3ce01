// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

/** What became of a driver's wait for its device; what the device thought of a request is not told here. */
public enum DriverResult {
    /** The request is in the ring or, where the call waits, answered. */
    OK,
    /**
     * The device did not give a buffer back however often the used ring was looked at. Waiting can go on with {@link
     * IommuDriver#sync}; only a reset gives the buffers back otherwise.
     */
    NO_ANSWER,
    /** The device broke a rule of the used ring, see {@link IommuDriver#requestFailure}. Only a reset helps. */
    QUEUE_BROKEN
}
