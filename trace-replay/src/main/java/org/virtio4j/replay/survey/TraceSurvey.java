// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.survey;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.replay.input.ReplayObserver;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.input.UnusableTraceException;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.trace.TraceReader;

/**
 * What must be known of a trace before its first event is played: found by reading it once to the end, which also shows
 * that all of it can be read. Immutable.
 *
 * @param version of the trace's format
 * @param iommus  what was found of each IOMMU
 * @param events  how many there are
 */
public record TraceSurvey(int version, List<IommuSurvey> iommus, long events) {

    private static final int STEP = 65_536;

    /** Reads a trace to its end; null if the observer did not want to go on. */
    public static @Nullable TraceSurvey of(TraceFile trace, ReplayObserver observer)
            throws TraceFormatException, UnusableTraceException {
        try (TraceReader reader = trace.open()) {
            List<IommuSurvey> iommus = new ArrayList<>();
            for (TraceHeader.Iommu recorded : reader.header().iommus()) {
                iommus.add(new IommuSurvey(recorded));
            }
            long events = 0;
            while (reader.next()) {
                if (events++ % STEP == 0 && !goesOn(observer, trace, events)) {
                    return null;
                }
                iommus.get(reader.event().iommu()).add(reader.event(), reader.line(), trace);
            }
            return new TraceSurvey(reader.version(), iommus, events);
        } catch (TraceFormatException | UnusableTraceException failure) {
            throw failure;
        } catch (IOException trouble) {
            throw new UnusableTraceException(trace.name() + ": expected a file that can be closed, found "
                    + trouble.getMessage());
        }
    }

    private static boolean goesOn(ReplayObserver observer, TraceFile trace, long events) {
        return observer.goOn(ReplayObserver.Phase.READING, trace, events - 1, 0);
    }
}
