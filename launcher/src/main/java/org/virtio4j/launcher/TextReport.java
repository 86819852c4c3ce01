// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.Locale;
import org.virtio4j.launcher.replay.Mismatch;
import org.virtio4j.launcher.replay.TraceResult;
import org.virtio4j.trace.EventKind;

/** The results of a replay for people. */
final class TextReport {

    private TextReport() {
    }

    /** Some lines, each with its end. */
    static String of(TraceResult result) {
        StringBuilder text = new StringBuilder();
        text.append(result.name()).append(result.complete() ? "" : " (not played to its end)").append('\n');
        line(text, "requests", requests(result));
        line(text, "kicks", number(result.kicks()));
        line(text, "requests per second", number(Math.round(result.requestsPerSecond())));
        line(text, "translations checked", number(result.translations()));
        line(text, "peak live mappings", number(result.peakMappings()));
        line(text, "heap bytes per request", heap(result));
        line(text, "mismatches", number(result.mismatches()));
        for (Mismatch mismatch : result.firstMismatches()) {
            text.append("    ").append(mismatch).append('\n');
        }
        if (result.mismatches() > result.firstMismatches().size()) {
            text.append("    ... and ").append(number(result.mismatches() - result.firstMismatches().size()))
                    .append(" more\n");
        }
        return text.toString();
    }

    private static String requests(TraceResult result) {
        return String.format(Locale.ROOT, "%,d (MAP %,d, UNMAP %,d, ATTACH %,d, DETACH %,d, PROBE %,d, raw %,d)",
                result.requestCount(), result.count(EventKind.MAP), result.count(EventKind.UNMAP),
                result.count(EventKind.ATTACH), result.count(EventKind.DETACH), result.count(EventKind.PROBE),
                result.count(EventKind.RAW));
    }

    private static String heap(TraceResult result) {
        return result.heapBytes() < 0
                ? "unknown, as this JVM does not count them"
                : String.format(Locale.ROOT, "%.3f (%,d in all)", result.heapBytesPerRequest(), result.heapBytes());
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static void line(StringBuilder text, String what, String value) {
        text.append(String.format(Locale.ROOT, "  %-24s%s\n", what, value));
    }
}
