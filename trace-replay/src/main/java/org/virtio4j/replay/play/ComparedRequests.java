// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

/**
 * The requests of one IOMMU that are made and not compared yet.
 *
 * @param pending what is expected of each
 * @param served what the device says it did
 * @param mismatches takes what did not come out as recorded
 */
record ComparedRequests(PendingRequests pending, ServedRequests served, Mismatches mismatches) {
}
