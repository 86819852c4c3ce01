// SPDX-License-Identifier: Apache-2.0

/**
 * Plays recorded virtio-iommu traffic: the recorded driver's part is taken by the one of {@code org.virtio4j.driver},
 * the recorded device's part by the device of this project, and each answer is compared with the recorded one.
 *
 * <p>A {@link org.virtio4j.launcher.replay.Replay} reads its trace twice. The first time it learns which endpoints
 * exist and whether the guest maps anything at all, which older traces do not say up front, and finds a damaged file
 * before anything is played. Then it builds the machine: guest memory, and for each recorded IOMMU a device behind the
 * {@link org.virtio4j.launcher.replay.ReplayTransport} that was asked for, a driver that finds it there by register
 * accesses, and a DMA handle for each endpoint. The second time it plays. Requests go through a ring in guest memory
 * and come back as a guest would see them; what the wire does not carry, the number of mappings that an UNMAP removed,
 * comes from the device's request listener. A translation is asked for as a device asks, inside a section of its DMA
 * handle. No answer depends on the transport, so each must come out as recorded.
 *
 * <p>What is measured is the playing alone. Events are decoded some thousand at a time into arrays, and the meter
 * stands still meanwhile, as it does while the device is reset or set up and while a mismatch is put into words. Short
 * traces are played before, for the first run of any code allocates.
 *
 * <p>Everything happens on the thread that calls; the device serves requests inside the kick.
 */
@NullMarked
package org.virtio4j.launcher.replay;

import org.jspecify.annotations.NullMarked;
