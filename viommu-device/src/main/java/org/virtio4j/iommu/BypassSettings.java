// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

/**
 * Who may reach guest-physical memory while attached to nothing.
 *
 * @param atBoot     what the bypass byte is after a system reset
 * @param afterReset whether the byte decides at once for an endpoint that a reset has detached; else the endpoint is
 *                   blocked first
 */
record BypassSettings(boolean atBoot, boolean afterReset) {
}
