// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.report;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.BenchmarkResultMetaData;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;
import org.virtio4j.benchmarks.suite.BenchmarkRow;

/**
 * What came of a row.
 *
 * @param row       the row
 * @param median    nanoseconds an operation, the median of all iterations of all JVMs
 * @param least     of the fastest iteration
 * @param most      of the slowest
 * @param bytes     heap bytes an operation, the median too; NaN where the JVM cannot tell
 * @param ratio     the median by that of the row's baseline; NaN if that was not measured
 * @param allocates whether that is more than JMH's own objects
 * @param jmh       what JMH has to say of it; null in tests
 */
public record RowResult(BenchmarkRow row, double median, double least, double most, double bytes, double ratio,
        boolean allocates, @Nullable RunResult jmh) {

    /**
     * JMH itself allocates some ten thousand bytes in an iteration. An object of 16 bytes in each invocation, of which
     * there are many thousands, is well above this.
     */
    private static final double BYTES_OF_AN_ITERATION = 100_000;

    public static RowResult of(BenchmarkRow row, RunResult jmh, double baseline) {
        Statistics times = jmh.getPrimaryResult().getStatistics();
        double median = times.getPercentile(50);
        var allocated = jmh.getSecondaryResults().get("gc.alloc.rate.norm");
        double bytes = allocated == null ? Double.NaN : allocated.getStatistics().getPercentile(50);
        return new RowResult(row, median, times.getMin(), times.getMax(), bytes, median / baseline,
                bytes * operations(jmh) > BYTES_OF_AN_ITERATION, jmh);
    }

    /** How many there are in an iteration. */
    private static double operations(RunResult jmh) {
        long operations = 0;
        for (BenchmarkResult fork : jmh.getBenchmarkResults()) {
            BenchmarkResultMetaData counts = fork.getMetadata();
            operations += counts == null ? 0 : counts.getMeasurementOps();
        }
        return (double) operations / jmh.getBenchmarkResults().size() / jmh.getParams().getMeasurement().getCount();
    }

    /** Whether there is something to compare with. */
    boolean compared() {
        return row.baseline() != null && !Double.isNaN(ratio);
    }
}
