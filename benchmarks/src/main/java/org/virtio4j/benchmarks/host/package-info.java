// SPDX-License-Identifier: Apache-2.0

/**
 * The machine that measures: its processor, caches and settings, and two control loops that show whether something else
 * was using it.
 */
@NullMarked
package org.virtio4j.benchmarks.host;

import org.jspecify.annotations.NullMarked;
