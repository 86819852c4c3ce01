// SPDX-License-Identifier: Apache-2.0

/**
 * The results of the rows, as a table for people and as JSON.
 */
@NullMarked
package org.virtio4j.benchmarks.report;

import org.jspecify.annotations.NullMarked;
