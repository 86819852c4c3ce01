// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.virtio4j.benchmarks.host.Caches;

/** The list of rows, and that each of them runs: in this JVM, with one iteration that is over at once. */
class SuiteTest {

    private static final Caches SMALL = new Caches(1 << 18, 1 << 20, true);
    private static final Suite SUITE = Suite.of(SMALL, 1L << 40);

    @BeforeAll
    static void letOtherRunsBe() {
        // Nothing is measured here, so another JMH run on this machine does no harm.
        System.setProperty("jmh.ignoreLock", "true");
    }

    /** One row of each method and kind: the others differ from them in sizes alone. */
    static List<BenchmarkRow> kinds() {
        Set<String> seen = new HashSet<>();
        return SUITE.rows().stream().filter(row -> seen.add(row.benchmark() + row.params().get("transport")
                + row.params().get("space"))).toList();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldRun(BenchmarkRow row) throws RunnerException {
        TimeValue briefly = TimeValue.milliseconds(1);
        ChainedOptionsBuilder options = new OptionsBuilder().include(row.benchmark() + "$").forks(0)
                .warmupIterations(0).measurementIterations(1).measurementTime(briefly).shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
        row.params().forEach(options::param);
        Collection<RunResult> results = new Runner(options.build()).run();
        assertEquals(1, results.size(), "parameters that choose one run");
        assertTrue(results.iterator().next().getPrimaryResult().getScore() > 0);
    }

    @Test
    void shouldHaveARowForEveryBenchmark() {
        Set<String> benchmarks = BenchmarkList.defaultList().getAll(silent(), List.of()).stream()
                .map(entry -> entry.getUsername()).collect(Collectors.toSet());
        assertEquals(benchmarks, SUITE.rows().stream().map(BenchmarkRow::benchmark).collect(Collectors.toSet()));
    }

    @Test
    void shouldGiveEveryRowATitleOfItsOwn() {
        Set<String> titles = SUITE.rows().stream().map(BenchmarkRow::title).collect(Collectors.toSet());
        assertEquals(SUITE.rows().size(), titles.size());
    }

    @Test
    void shouldMeasureWhatARowIsComparedWithBeforeIt() {
        Set<String> before = new HashSet<>();
        for (BenchmarkRow row : SUITE.rows()) {
            BenchmarkRow baseline = row.baseline();
            assertTrue(baseline == null || before.contains(baseline.title()), row.title());
            before.add(row.title());
        }
    }

    @Test
    void shouldSayWhatIsLeftOutWhenThereIsLittleMemory() {
        Suite poor = Suite.of(new Caches(2 << 20, 300 << 20, true), 1L << 30);
        assertEquals(List.of("a table beyond the last-level cache", "DMA beyond the last-level cache"),
                poor.leftOut());
        assertTrue(poor.rows().stream().noneMatch(row -> row.title().contains("beyond")));
        assertNotNull(poor.rows().getFirst());
    }

    private static OutputFormat silent() {
        return OutputFormatFactory.createFormatInstance(new PrintStream(OutputStream.nullOutputStream()),
                VerboseMode.SILENT);
    }
}
