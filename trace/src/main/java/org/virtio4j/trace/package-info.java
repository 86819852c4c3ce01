// SPDX-License-Identifier: Apache-2.0

/**
 * Recorded virtio-iommu traffic: what one guest asked of its IOMMUs, how each request was answered, and which
 * translations its devices got. A trace is a text file with one event on each line.
 *
 * <p>A recording outlives the machine it was made on. Played back into a device, it shows whether that device answers
 * like the recorded one. Cut down by hand, it becomes the test for a driver's mistake. Therefore the format is text
 * that a person can read and edit, in the order in which the device saw the events. {@code docs/trace-format.md}
 * describes it independently of this code. Version 1 is the format of the first recordings of this project. Version 2
 * adds a first line with the configuration of the recorded IOMMUs, the index of the IOMMU that an event belongs to,
 * the limits of kicks, and a raw form for requests that make no sense.
 *
 * <p>The parts:
 *
 * <ul>
 * <li>{@link org.virtio4j.trace.TraceEvent} is one line, as an immutable value: a record for each kind of event, and
 * {@link org.virtio4j.trace.RawRequest} for a request byte by byte.
 * <li>{@link org.virtio4j.trace.TraceReader} reads both versions, plain or compressed, event by event. It never holds
 * more than one buffer and one event, so a recording may be longer than memory.
 * <li>{@link org.virtio4j.trace.TraceWriter} writes version 2.
 * <li>{@link org.virtio4j.trace.TraceHeader} says how the recorded IOMMUs were configured.
 * <li>{@link org.virtio4j.trace.TraceFormatException} refuses whatever is not exactly in the format. It names file,
 * line, what was expected and what was found.
 * </ul>
 *
 * <p>Nothing here knows how a device or a driver works: numbers are carried as they were seen. Events and headers are
 * immutable and may be used by any thread; a reader or a writer must not be used by two threads at once.
 */
@NullMarked
package org.virtio4j.trace;

import org.jspecify.annotations.NullMarked;
