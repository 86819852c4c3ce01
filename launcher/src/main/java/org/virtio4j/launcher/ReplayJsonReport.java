// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.JsonText;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

/** The results of a replay for programs: keys in a fixed order, numbers without rounding where they are counts. */
final class ReplayJsonReport {

    private final JsonText json = new JsonText();

    private ReplayJsonReport() {
    }

    /** One object for all results; a total that is of several transports together has none. */
    static String of(List<TraceResult> results, boolean interrupted) {
        ReplayJsonReport report = new ReplayJsonReport();
        report.json.open('{');
        report.json.key("virtio4j").string(Version.text());
        report.json.key("interrupted").value(interrupted);
        report.json.key("traces").open('[');
        for (TraceResult result : results) {
            report.json.element();
            report.result(result);
        }
        report.json.close(']');
        report.json.key("total");
        report.result(TraceResult.total(results));
        report.json.key("totals").open('[');
        for (TraceResult total : TraceResult.totals(results)) {
            report.json.element();
            report.result(total);
        }
        report.json.close(']');
        return report.json.close('}').toString();
    }

    private void result(TraceResult result) {
        json.open('{');
        json.key("name").string(result.name());
        transport(result.transport());
        json.key("complete").value(result.complete());
        json.key("events").value(result.events());
        json.key("requests").value(result.requestCount());
        json.key("requestsByKind").open('{');
        json.key("map").value(result.count(EventKind.MAP));
        json.key("unmap").value(result.count(EventKind.UNMAP));
        json.key("attach").value(result.count(EventKind.ATTACH));
        json.key("detach").value(result.count(EventKind.DETACH));
        json.key("probe").value(result.count(EventKind.PROBE));
        json.key("raw").value(result.count(EventKind.RAW));
        json.close('}');
        json.key("kicks").value(result.kicks());
        measured(result);
        json.key("mismatches").value(result.mismatches());
        mismatches(result.firstMismatches());
        json.close('}');
    }

    private void transport(@Nullable ReplayTransport transport) {
        json.key("transport");
        if (transport == null) {
            json.nothing();
        } else {
            json.string(transport.toString());
        }
    }

    private void measured(TraceResult result) {
        json.key("nanoseconds").value(result.nanos());
        json.key("requestsPerSecond").value(result.requestsPerSecond());
        json.key("translations").value(result.translations());
        json.key("peakLiveMappings").value(result.peakMappings());
        if (result.heapBytes() < 0) {
            json.key("heapBytes").nothing();
            json.key("heapBytesPerRequest").nothing();
        } else {
            json.key("heapBytes").value(result.heapBytes());
            json.key("heapBytesPerRequest").value(result.heapBytesPerRequest());
        }
    }

    private void mismatches(List<Mismatch> mismatches) {
        json.key("firstMismatches").open('[');
        for (Mismatch mismatch : mismatches) {
            json.element().open('{');
            json.key("file").string(mismatch.file());
            json.key("line").value(mismatch.line());
            json.key("text").string(mismatch.text());
            json.close('}');
        }
        json.close(']');
    }
}
