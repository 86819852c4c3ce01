// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.JsonOutput;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

/** The results of a replay for programs: keys in a fixed order, numbers without rounding where they are counts. */
final class ReplayJsonReport {

    private final JsonGenerator json;

    private ReplayJsonReport(JsonGenerator json) {
        this.json = json;
    }

    /** One object for all results; a total that is of several transports together has none. */
    static String of(List<TraceResult> results, boolean interrupted) {
        return JsonOutput.text(json -> new ReplayJsonReport(json).write(results, interrupted));
    }

    private void write(List<TraceResult> results, boolean interrupted) throws IOException {
        json.writeStartObject();
        json.writeStringField("virtio4j", Version.text());
        json.writeBooleanField("interrupted", interrupted);
        list("traces", results);
        json.writeFieldName("total");
        result(TraceResult.total(results));
        list("totals", TraceResult.totals(results));
        json.writeEndObject();
    }

    private void list(String name, List<TraceResult> results) throws IOException {
        json.writeArrayFieldStart(name);
        for (TraceResult result : results) {
            result(result);
        }
        json.writeEndArray();
    }

    private void result(TraceResult result) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", result.name());
        transport(result.transport());
        json.writeBooleanField("complete", result.complete());
        json.writeNumberField("events", result.events());
        json.writeNumberField("requests", result.requestCount());
        json.writeObjectFieldStart("requestsByKind");
        json.writeNumberField("map", result.count(EventKind.MAP));
        json.writeNumberField("unmap", result.count(EventKind.UNMAP));
        json.writeNumberField("attach", result.count(EventKind.ATTACH));
        json.writeNumberField("detach", result.count(EventKind.DETACH));
        json.writeNumberField("probe", result.count(EventKind.PROBE));
        json.writeNumberField("raw", result.count(EventKind.RAW));
        json.writeEndObject();
        json.writeNumberField("kicks", result.kicks());
        measured(result);
        json.writeNumberField("mismatches", result.mismatches());
        mismatches(result.firstMismatches());
        json.writeEndObject();
    }

    private void transport(@Nullable ReplayTransport transport) throws IOException {
        if (transport == null) {
            json.writeNullField("transport");
        } else {
            json.writeStringField("transport", transport.toString());
        }
    }

    private void measured(TraceResult result) throws IOException {
        json.writeNumberField("nanoseconds", result.nanos());
        JsonOutput.decimals(json, "requestsPerSecond", result.requestsPerSecond());
        json.writeNumberField("translations", result.translations());
        json.writeNumberField("peakLiveMappings", result.peakMappings());
        if (result.heapBytes() < 0) {
            json.writeNullField("heapBytes");
            json.writeNullField("heapBytesPerRequest");
        } else {
            json.writeNumberField("heapBytes", result.heapBytes());
            JsonOutput.decimals(json, "heapBytesPerRequest", result.heapBytesPerRequest());
        }
    }

    private void mismatches(List<Mismatch> mismatches) throws IOException {
        json.writeArrayFieldStart("firstMismatches");
        for (Mismatch mismatch : mismatches) {
            json.writeStartObject();
            json.writeStringField("file", mismatch.file());
            json.writeNumberField("line", mismatch.line());
            json.writeStringField("text", mismatch.text());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
