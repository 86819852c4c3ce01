// SPDX-License-Identifier: Apache-2.0

/**
 * Which rows there are: what is measured, in which geometry and compared with what, and how long in each mode.
 */
@NullMarked
package org.virtio4j.benchmarks.suite;

import org.jspecify.annotations.NullMarked;
