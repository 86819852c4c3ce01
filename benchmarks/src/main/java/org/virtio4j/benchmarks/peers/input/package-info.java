// SPDX-License-Identifier: Apache-2.0

/**
 * What the compared programs are asked to do: keys that are inserted, looked up and removed, and steps of recorded
 * guests. All programs read them from one file.
 */
@NullMarked
package org.virtio4j.benchmarks.peers.input;

import org.jspecify.annotations.NullMarked;
