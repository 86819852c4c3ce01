// SPDX-License-Identifier: Apache-2.0

/**
 * The measured side in Java: this project's table, a TreeMap and this project's device, in a process that obeys the
 * commands of the comparison.
 */
@NullMarked
package org.virtio4j.benchmarks.peers.work;

import org.jspecify.annotations.NullMarked;
