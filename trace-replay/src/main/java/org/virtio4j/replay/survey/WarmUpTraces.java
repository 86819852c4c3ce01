// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.survey;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.trace.TraceWriter;
import org.virtio4j.trace.TranslationKind;
import org.virtio4j.wire.iommu.RequestStatus;

/**
 * Traces that between them make the code run at least once that any trace can: the first run of code loads classes and
 * links calls, which allocates.
 */
public final class WarmUpTraces {

    private static final String EVERY_KIND = "every-kind.trace";

    /** Enough mappings for a table of several levels. */
    private static final int MAPPINGS = 2048;

    /** Odd, so that a multiple of it modulo the number of mappings comes to each of them. */
    private static final int STRIDE = 773;
    private static final int ENDPOINT = 8;
    private static final long PAGE = 4096;
    private static final long BASE = 0x1000_0000L;

    private WarmUpTraces() {
    }

    public static List<TraceFile> all() {
        TraceFile everyKind = everyKind();
        return List.of(everyKind, TraceFile.SHIPPED, manyMappings(), everyKind);
    }

    private static TraceFile everyKind() {
        try (InputStream in = Objects.requireNonNull(WarmUpTraces.class.getResourceAsStream(EVERY_KIND))) {
            return TraceFile.of(EVERY_KIND, in.readAllBytes());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /**
     * Maps every second page of a range in scattered order, translates some, unmaps half of them in another order,
     * tries what would split one, and unmaps the rest in runs.
     */
    static TraceFile manyMappings() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TraceWriter writer = TraceWriter.to(bytes, TraceHeader.ofVersion1(), false)) {
            begin(writer);
            for (int i = 0; i < MAPPINGS; i++) {
                long virtStart = place(i * STRIDE % MAPPINGS);
                writer.write(new TraceEvent.Map(0, 0, virtStart, virtStart + PAGE - 1, 2 * virtStart, 3,
                        RequestStatus.OK));
            }
            for (int i = 0; i < MAPPINGS; i += 16) {
                writer.write(new TraceEvent.Translate(0, ENDPOINT, place(i) + 8, 1, TranslationKind.ADDRESS,
                        2 * place(i) + 8));
            }
            unmapAll(writer);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return TraceFile.of("many-mappings.trace", bytes.toByteArray());
    }

    private static void begin(TraceWriter writer) throws IOException {
        for (int status : new int[] {0, 1, 3, 11, 15}) {
            writer.write(new TraceEvent.Status(0, status));
        }
        writer.write(new TraceEvent.Attach(0, 0, ENDPOINT, 0, true, RequestStatus.OK, 0));
    }

    private static void unmapAll(TraceWriter writer) throws IOException {
        for (int i = 0; i < MAPPINGS; i++) {
            int page = i * STRIDE % MAPPINGS;
            if (page % 2 == 0) {
                writer.write(new TraceEvent.Unmap(0, 0, place(page), place(page) + PAGE - 1, RequestStatus.OK, 1));
            }
        }
        writer.write(new TraceEvent.Unmap(0, 0, BASE, place(MAPPINGS / 2 + 1) + 1, RequestStatus.RANGE, 0));
        for (int i = 0; i < MAPPINGS; i += MAPPINGS / 8) {
            writer.write(new TraceEvent.Unmap(0, 0, place(i), place(i + MAPPINGS / 8) - 1, RequestStatus.OK,
                    MAPPINGS / 16));
        }
    }

    private static long place(int page) {
        return BASE + 2 * PAGE * page;
    }
}
