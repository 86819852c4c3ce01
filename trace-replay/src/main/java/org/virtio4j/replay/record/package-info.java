// SPDX-License-Identifier: Apache-2.0

/**
 * Records what a guest asks of its IOMMU, as a trace that can be played back.
 *
 * <p>A {@link org.virtio4j.replay.record.Recorder} listens to one IOMMU and turns what it hears into lines, on the
 * threads of the devices and without allocating. The lines go into a {@link org.virtio4j.replay.record.DiskStream},
 * whose own thread waits for the disk, so that no device does.
 */
@NullMarked
package org.virtio4j.replay.record;

import org.jspecify.annotations.NullMarked;
