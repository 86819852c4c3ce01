// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The classes of races, and how jcstress is to run them. */
enum Races {

    TRANSLATION(10, 8, 40, ""),
    NOTIFICATION(5, 64, 40, ""),
    MEMORY(2, 8, 40, ""),
    /** Long races, so only a few at a time. */
    SECTION(3, 1, 2, ""),
    CACHE(1, 1, 2, ""),
    PLACE(1, 1, 2, " -XX:CompileCommand=exclude,org/virtio4j/iommu/table/*.find");

    private static final Pattern TEST = Pattern.compile("\\.+ \\[(\\w+)\\] org\\.virtio4j\\.concurrency\\.(\\S+)");
    private static final Pattern ROW =
            Pattern.compile("\\s+(\\S.*?)\\s{2,}([\\d,]+)\\s+<?[\\d.]+%\\s+(Acceptable|Forbidden)\\s.*");

    private final int count;
    private final int strideSize;
    private final int strideCount;
    private final String jvm;

    Races(int count, int strideSize, int strideCount, String jvm) {
        this.count = count;
        this.strideSize = strideSize;
        this.strideCount = strideCount;
        this.jvm = jvm;
    }

    /** How many there are: jcstress leaves out without a word what it cannot schedule. */
    int count() {
        return count;
    }

    /** What came of one race, and how often what must not. */
    record Outcome(String race, boolean passed, long samples, long forbidden) {

        @Override
        public String toString() {
            return "%s: %s, %,d races, %,d went wrong (%.3g %%)".formatted(race, passed ? "passed" : "failed", samples,
                    forbidden, 100.0 * forbidden / Math.max(1, samples));
        }
    }

    /**
     * Runs those with a name that matches, each for so long.
     *
     * <p>The actors yield while they wait for each other to begin, or they would hardly meet on a busy machine. One
     * configuration is enough: what is looked for is in the order of loads and stores of the processor.
     */
    List<Outcome> run(String name, int millis, String front, Path folder) throws IOException, InterruptedException {
        String className = name().charAt(0) + name().substring(1).toLowerCase(Locale.ROOT) + "Races";
        ChildJvm.Result result = ChildJvm.run(front, folder, List.of("org.openjdk.jcstress.Main",
                "-t", "org.virtio4j.concurrency." + className + "." + name,
                "-jvmArgs", "--enable-native-access=ALL-UNNAMED -Dvirtio4j.table.checked="
                        + System.getProperty("virtio4j.table.checked", "false") + jvm,
                "-af", "NONE", "-sc", "false", "-f", "1",
                "-iters", "1", "-time", Integer.toString(millis), "-strideSize", Integer.toString(strideSize),
                "-strideCount", Integer.toString(strideCount), "-spinStyle", "THREAD_YIELD", "-v"));
        int summary = result.output().indexOf("RUN RESULTS:");
        if (summary < 0) {
            throw new IllegalStateException("jcstress ended with status " + result.status() + ":\n" + result.output());
        }
        return outcomes(result.output().substring(summary));
    }

    private static List<Outcome> outcomes(String summary) {
        List<Outcome> outcomes = new ArrayList<>();
        for (String line : summary.split("\n", -1)) {
            Matcher test = TEST.matcher(line);
            Matcher row = ROW.matcher(line);
            if (test.matches()) {
                outcomes.add(new Outcome(test.group(2), test.group(1).equals("OK"), 0, 0));
            } else if (row.matches() && !outcomes.isEmpty()) {
                Outcome last = outcomes.removeLast();
                long samples = Long.parseLong(row.group(2).replace(",", ""));
                boolean forbidden = row.group(3).equals("Forbidden");
                outcomes.add(new Outcome(last.race, last.passed, last.samples + samples,
                        last.forbidden + (forbidden ? samples : 0)));
            }
        }
        return outcomes;
    }
}
