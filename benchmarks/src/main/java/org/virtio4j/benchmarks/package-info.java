// SPDX-License-Identifier: Apache-2.0

/**
 * What each step on the way of a request, and of a transfer, costs.
 *
 * <p>A class whose name ends in {@code Benchmark} measures one step with JMH; what it needs from a guest comes from
 * {@link org.virtio4j.benchmarks.PlacedRing}, which has a driver's work done beforehand, and {@link
 * org.virtio4j.benchmarks.IommuGuest}. {@link org.virtio4j.benchmarks.Suite} lists the rows: what is measured, in which
 * geometry and compared with what. {@link org.virtio4j.benchmarks.Bench} is the command that runs them, each in JVMs of
 * its own, and prints one table. The package {@code peers} has the comparison with tables of other VMMs, which is no
 * JMH benchmark.
 *
 * <p>Four rules keep the rows comparable. What the driver does is done outside the measured time, but for the one store
 * that makes a buffer available. Where the time of one operation is asked for, the next cannot begin before it, because
 * its address depends on the result. Every row checks, outside the measured time, that what it measured succeeded.
 * Addresses are visited in a shuffled order that is the same in each run.
 *
 * <p>A state that other states are built on has the scope of the benchmark: of a thread's state JMH would make one for
 * the benchmark and another for each state that asks for it.
 */
@NullMarked
package org.virtio4j.benchmarks;

import org.jspecify.annotations.NullMarked;
