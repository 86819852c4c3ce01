// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.suite;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of the table: a benchmark method with its parameters, in words.
 *
 * @param name      what one operation is
 * @param geometry  how much of everything there is
 * @param benchmark the method, as JMH calls it
 * @param params    JMH parameters
 * @param baseline  what it is compared with, measured earlier; null for nothing
 * @param quick     whether it is one of the rows of quick mode
 * @param deep      whether so much code is on its way that the compiler needs seconds to get through it
 */
public record BenchmarkRow(String name, String geometry, String benchmark, Map<String, String> params,
        @Nullable BenchmarkRow baseline, boolean quick, boolean deep) {

    public static BenchmarkRow of(String name, String geometry, Class<?> type, String method,
            Map<String, String> params) {
        return new BenchmarkRow(name, geometry, type.getName() + "." + method, params, null, true, false);
    }

    public BenchmarkRow against(@Nullable BenchmarkRow other) {
        return new BenchmarkRow(name, geometry, benchmark, params, other, quick, deep);
    }

    public BenchmarkRow onlyInFull() {
        return new BenchmarkRow(name, geometry, benchmark, params, baseline, false, deep);
    }

    BenchmarkRow withMoreWarmUp() {
        return new BenchmarkRow(name, geometry, benchmark, params, baseline, quick, true);
    }

    /** What the user's expression is looked for in. */
    public String title() {
        return name + ", " + geometry;
    }
}
