// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.fault;

import org.virtio4j.dma.translate.Translator;

/** The view of an endpoint as faults see it. */
public interface FaultSource extends Translator {

    /**
     * The number that the driver knows.
     *
     * @return the endpoint's id
     */
    int endpoint();

    /**
     * Whether the driver may be told of the endpoint: a report should name a valid one (virtio 1.4, section 5.13.6.9).
     * Any thread.
     *
     * @return false for good once the endpoint was unplugged
     */
    boolean isPlugged();
}
