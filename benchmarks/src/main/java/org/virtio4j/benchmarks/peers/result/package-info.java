// SPDX-License-Identifier: Apache-2.0

/**
 * The figures of the comparison: rows and columns, as text and as a chart.
 */
@NullMarked
package org.virtio4j.benchmarks.peers.result;

import org.jspecify.annotations.NullMarked;
