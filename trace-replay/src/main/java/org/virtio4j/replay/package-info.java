// SPDX-License-Identifier: Apache-2.0

/**
 * Plays recorded virtio-iommu traffic back: the driver of {@code org.virtio4j.driver} takes the part of the recorded
 * driver, the device of this project that of the recorded device, and each answer is compared with the recorded one.
 *
 * <p>A {@link org.virtio4j.replay.Replay} reads its trace twice. The first time it learns which endpoints exist and
 * whether the guest maps anything at all, which older traces do not say in their first line, and finds a damaged file
 * before anything is played. Then it builds the machine: guest memory, and for each recorded IOMMU a device behind the
 * {@link org.virtio4j.replay.input.ReplayTransport} that was asked for. A driver finds the device by register accesses,
 * and each endpoint gets a DMA handle. The second time it plays. Requests go through a ring in guest memory and come
 * back as a guest would see them; what the ring does not carry, the number of mappings that an UNMAP removed, comes
 * from the device's listener. A translation is asked for as a device asks, inside a section of its DMA handle. No
 * answer depends on the transport, so each must come out as recorded.
 *
 * <p>Only the playing is measured. Events are decoded some thousand at a time into arrays, and the meter pauses
 * meanwhile, as it does while the device is reset or set up and while a mismatch is put into words. Short traces are
 * played before, because the first run of any code allocates.
 *
 * <p>Everything happens on the thread that calls; the device serves requests inside the doorbell write.
 */
@NullMarked
package org.virtio4j.replay;

import org.jspecify.annotations.NullMarked;
