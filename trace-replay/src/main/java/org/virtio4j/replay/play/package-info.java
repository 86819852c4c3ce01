// SPDX-License-Identifier: Apache-2.0

/**
 * Plays the events of a trace on a machine and compares. {@link org.virtio4j.replay.play.TracePlayer} goes through the
 * events; each belongs to one {@link org.virtio4j.replay.play.ReplayedIommu}, which has a device, its driver and the
 * endpoints behind it. Nothing here allocates while events are played, unless one does not come out as recorded.
 */
@NullMarked
package org.virtio4j.replay.play;

import org.jspecify.annotations.NullMarked;
