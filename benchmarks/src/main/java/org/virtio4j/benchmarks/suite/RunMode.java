// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.suite;

import java.util.Locale;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** How long each row is measured. */
public enum RunMode {
    /** One JVM a row and short iterations: enough to see that something is twice as slow. */
    QUICK(1, 2, 10, 3, 250),
    /** Several JVMs a row, because the compiler does not decide alike in each. */
    FULL(3, 4, 12, 5, 400);

    private final int forks;
    private final int warmUps;
    private final int deepWarmUps;
    private final int iterations;
    private final int milliseconds;

    RunMode(int forks, int warmUps, int deepWarmUps, int iterations, int milliseconds) {
        this.forks = forks;
        this.warmUps = warmUps;
        this.deepWarmUps = deepWarmUps;
        this.iterations = iterations;
        this.milliseconds = milliseconds;
    }

    public boolean includes(BenchmarkRow row) {
        return this == FULL || row.quick();
    }

    public ChainedOptionsBuilder applyTo(ChainedOptionsBuilder options, BenchmarkRow row) {
        TimeValue time = TimeValue.milliseconds(milliseconds);
        return options.forks(forks).warmupIterations(row.deep() ? deepWarmUps : warmUps).warmupTime(time)
                .measurementIterations(iterations).measurementTime(time);
    }

    public String text() {
        return String.format(Locale.ROOT, "%s: JVMs a row %d, iterations to warm up %d or %d, measured %d, each %d ms",
                this == QUICK ? "quick" : "full", forks, warmUps, deepWarmUps, iterations, milliseconds);
    }
}
