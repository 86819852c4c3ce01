// SPDX-License-Identifier: Apache-2.0

/**
 * The classes that JMH measures. Each measures one step.
 */
@NullMarked
package org.virtio4j.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
