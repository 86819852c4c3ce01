// SPDX-License-Identifier: Apache-2.0

/**
 * What each step on the way of a request, and of a transfer, costs.
 *
 * <p>{@link org.virtio4j.benchmarks.Bench} is the command. It runs the rows of {@link
 * org.virtio4j.benchmarks.suite.Suite}, each in JVMs of its own, and prints one table. The package {@code jmh} has what
 * is measured, {@code fixture} what that needs from a guest. The package {@code peers} compares with tables of other
 * VMMs, and {@code quota} has a guest fill its quota beside another one, both without JMH.
 *
 * <p>Four rules keep the rows comparable. What the driver does is done outside the measured time, except the one store
 * that makes a buffer available. Where the time of one operation is asked for, the next cannot begin before it, because
 * its address depends on the result. Every row checks, outside the measured time, that what it measured succeeded.
 * Addresses are visited in a shuffled order that is the same in each run.
 */
@NullMarked
package org.virtio4j.benchmarks;

import org.jspecify.annotations.NullMarked;
