// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.virtio4j.benchmarks.suite.BenchmarkRow;
import org.virtio4j.benchmarks.suite.RunMode;
import org.virtio4j.command.CommandFailure;

/** Runs one row with JMH. Row by row, so that what was measured is kept whatever becomes of the rest. */
final class Measurement {

    private static final String LOCKED = "Unable to acquire the JMH lock";

    private final RunMode mode;

    Measurement(RunMode mode) {
        this.mode = mode;
    }

    /**
     * Measures.
     *
     * @throws RowFailure     if this row cannot be measured
     * @throws CommandFailure if none can
     */
    RunResult run(BenchmarkRow row) throws RowFailure, CommandFailure {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        try {
            PrintStream stream = new PrintStream(log, true, StandardCharsets.UTF_8);
            Collection<RunResult> results = new Runner(options(row).build(),
                    OutputFormatFactory.createFormatInstance(stream, VerboseMode.NORMAL)).run();
            if (results.size() == 1) {
                return results.iterator().next();
            }
            throw new RowFailure("JMH gave " + results.size() + " results", log.toString(StandardCharsets.UTF_8));
        } catch (RunnerException | RuntimeException failed) {
            String message = String.valueOf(failed.getMessage());
            if (message.contains(LOCKED)) {
                throw new CommandFailure("another JMH run is going on on this machine; wait for it to end");
            }
            throw new RowFailure(message.lines().findFirst().orElse(""), log.toString(StandardCharsets.UTF_8));
        }
    }

    private ChainedOptionsBuilder options(BenchmarkRow row) {
        ChainedOptionsBuilder options = mode.applyTo(new OptionsBuilder(), row)
                .include("^" + Pattern.quote(row.benchmark()) + "$")
                .shouldFailOnError(true)
                .addProfiler(GCProfiler.class);
        row.params().forEach(options::param);
        return options;
    }

    /** A row that cannot be measured; the others may. */
    static final class RowFailure extends Exception {

        private static final long serialVersionUID = 1L;

        private final String log;

        RowFailure(String message, String log) {
            super(message);
            this.log = log;
        }

        /** What JMH and the measuring JVM have written. */
        String log() {
            return log;
        }
    }
}
