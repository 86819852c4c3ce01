// SPDX-License-Identifier: Apache-2.0

/**
 * What is played: a {@link org.virtio4j.replay.input.TraceFile}, the transport over which it is played, and an observer
 * that sees how far the replay has come and may end it. The observer is called on the thread that plays.
 */
@NullMarked
package org.virtio4j.replay.input;

import org.jspecify.annotations.NullMarked;
