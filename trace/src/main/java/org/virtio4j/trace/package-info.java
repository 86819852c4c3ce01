// SPDX-License-Identifier: Apache-2.0

/**
 * Recorded virtio-iommu traffic: what one guest asked of its IOMMUs, what it was answered, and which translations its
 * devices saw, one event per line of a text file.
 *
 * <p>A recording outlives the machine it was made on. Played back into a device, it shows whether that device answers
 * as the recorded one did; cut down by hand, it becomes the test for a driver's mistake. So the format is text that a
 * person can read and edit, in the order in which the device saw things, and it is described apart from this code in
 * {@code docs/trace-format.md}. Version 1 is the form of the recordings this project began with; version 2 adds a first
 * line that says how the recorded IOMMUs were configured, the index of the IOMMU an event belongs to, the limits of
 * kicks, and a raw form for requests that make no sense.
 *
 * <p>{@link org.virtio4j.trace.TraceReader} reads both versions, plain or compressed, into one
 * {@link org.virtio4j.trace.TraceEvent} that it fills again and again: a recording may be longer than memory, and a
 * replayer that measures allocation must not measure its input. {@link org.virtio4j.trace.TraceWriter} writes version
 * 2 from such an event. A {@link org.virtio4j.trace.TraceHeader} describes the IOMMUs. Nothing here knows how a device
 * or a driver works; the numbers are carried as they were seen. Whatever is not exactly in the format is refused with a
 * {@link org.virtio4j.trace.TraceFormatException} that names file, line, what was expected and what was found.
 *
 * <p>No object of this package may be used by two threads at once.
 */
@NullMarked
package org.virtio4j.trace;

import org.jspecify.annotations.NullMarked;
