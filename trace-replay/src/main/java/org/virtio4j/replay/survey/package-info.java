// SPDX-License-Identifier: Apache-2.0

/**
 * Reads a trace: once to its end, to learn what it needs, and then in windows of some thousand events that are decoded
 * before they are played.
 */
@NullMarked
package org.virtio4j.replay.survey;

import org.jspecify.annotations.NullMarked;
