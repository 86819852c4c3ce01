// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

/** Gets each request that the device has given back. */
@FunctionalInterface
public interface AnswerListener {

    /**
     * A request came back. Called by the {@link IommuDriver} in the call that waited for it, on that thread, and in the
     * order in which the requests were made. It must not make requests.
     *
     * @param result what is known of it; the same object each time, and valid during the call only
     */
    void answered(RequestResult result);
}
