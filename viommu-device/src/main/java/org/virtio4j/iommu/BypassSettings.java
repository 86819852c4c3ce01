// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.iommu.embedder.IommuCapabilities;

/**
 * Who may reach guest-physical memory while attached to nothing.
 *
 * @param byDriver   whether the driver decides, by the bypass byte and by the flag of ATTACH
 * @param atBoot     whether it is everyone after a system reset; the driver cannot change it unless {@code byDriver}
 * @param afterReset whether that counts at once for an endpoint that a reset has detached; else the endpoint is blocked
 *                   first
 */
record BypassSettings(boolean byDriver, boolean atBoot, boolean afterReset) {

    IommuCapabilities.Bypass decidedBy() {
        if (byDriver) {
            return IommuCapabilities.Bypass.BY_DRIVER;
        }
        return atBoot ? IommuCapabilities.Bypass.ALWAYS : IommuCapabilities.Bypass.NONE;
    }
}
