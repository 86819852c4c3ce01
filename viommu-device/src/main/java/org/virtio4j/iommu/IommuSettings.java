// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.device.Features;
import org.virtio4j.iommu.request.RequestLimits;

/**
 * What a {@link VirtioIommuBuilder} was told, checked.
 *
 * @param features        what is offered
 * @param limits          what requests may ask for
 * @param serving         how queues are served
 * @param bypass          when endpoints reach memory untranslated
 * @param maxMappings     how many mappings all domains have room for
 * @param stallLimitNanos after how long a wait for a device is reported, in nanoseconds
 */
record IommuSettings(Features features, RequestLimits limits, ServingSettings serving, BypassSettings bypass,
        long maxMappings, long stallLimitNanos) {
}
