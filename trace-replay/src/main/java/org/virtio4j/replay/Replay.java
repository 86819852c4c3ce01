// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.replay.input.ReplayObserver;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.input.UnusableTraceException;
import org.virtio4j.replay.play.Mismatches;
import org.virtio4j.replay.play.PlayingMeter;
import org.virtio4j.replay.play.ReplayedMachine;
import org.virtio4j.replay.play.TracePlayer;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.replay.survey.TraceSurvey;
import org.virtio4j.replay.survey.WarmUpTraces;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceReader;

/** Plays one trace and compares what comes with what was recorded. Belongs to one thread. */
public final class Replay {

    private final TraceFile trace;
    private final TraceSurvey survey;

    private Replay(TraceFile trace, TraceSurvey survey) {
        this.trace = trace;
        this.survey = survey;
    }

    /**
     * Reads a trace to its end, so that one that is damaged is found before anything is played.
     *
     * @param trace    the trace
     * @param observer may end the reading
     * @return a replay that has not begun, or null if the observer did not want to go on
     * @throws TraceFormatException if the trace is not in the format
     * @throws UnusableTraceException if it cannot be played all the same
     */
    public static @Nullable Replay of(TraceFile trace, ReplayObserver observer)
            throws TraceFormatException, UnusableTraceException {
        TraceSurvey survey = TraceSurvey.of(trace, observer);
        return survey == null ? null : new Replay(trace, survey);
    }

    /**
     * Plays short traces that reach all the code there is, so that loading classes, linking and the like do not count
     * as allocated by the requests of a later replay.
     *
     * @param transports over which they are played
     */
    public static void warmUpAll(List<ReplayTransport> transports) {
        try {
            for (TraceFile trace : WarmUpTraces.all()) {
                playOnce(trace, transports);
            }
        } catch (TraceFormatException | UnusableTraceException impossible) {
            throw new IllegalStateException("resource=broken: " + impossible.getMessage(), impossible);
        }
    }

    /**
     * Plays the trace, again and again if there is time, only to have the code compiled that it needs.
     *
     * @param transport over which it is played
     * @param limit     when to end
     * @param observer  may end it before
     * @throws TraceFormatException if the trace has changed since it was read
     * @throws UnusableTraceException if there can be no machine like the recorded one
     */
    public void warmUp(ReplayTransport transport, Duration limit, ReplayObserver observer)
            throws TraceFormatException, UnusableTraceException {
        long start = System.nanoTime();
        boolean[] goesOn = {survey.events() > 0};
        while (goesOn[0] && System.nanoTime() - start < limit.toNanos()) {
            play(transport, (phase, which, done, total) -> {
                goesOn[0] = observer.goOn(ReplayObserver.Phase.WARMING_UP, which, done, total);
                return goesOn[0] && System.nanoTime() - start < limit.toNanos();
            });
        }
    }

    /**
     * Which trace it is.
     *
     * @return the trace as given
     */
    public TraceFile trace() {
        return trace;
    }

    /**
     * Plays the trace from its first event to its last, or until the observer or a device that does not answer any more
     * ends it. May be called again; each time there is a new machine.
     *
     * @param transport between driver and device
     * @param observer  sees how far it has come
     * @return what came of it
     * @throws TraceFormatException if the trace has changed since it was read
     * @throws UnusableTraceException if there can be no machine like the recorded one
     */
    public TraceResult play(ReplayTransport transport, ReplayObserver observer)
            throws TraceFormatException, UnusableTraceException {
        PlayingMeter meter = PlayingMeter.calibrated();
        Mismatches mismatches = new Mismatches(trace.name(), meter);
        try (TraceReader reader = trace.open();
                ReplayedMachine machine = build(transport, mismatches, meter)) {
            return new TracePlayer(trace, survey, machine, mismatches, meter).play(reader, observer);
        } catch (TraceFormatException failure) {
            throw failure;
        } catch (IOException trouble) {
            throw new UnusableTraceException(trace.name() + ": expected a file that can be closed, found "
                    + trouble.getMessage());
        }
    }

    private static void playOnce(TraceFile trace, List<ReplayTransport> transports)
            throws TraceFormatException, UnusableTraceException {
        ReplayObserver patient = (phase, which, done, total) -> true;
        Replay replay = Objects.requireNonNull(of(trace, patient));
        for (ReplayTransport transport : transports) {
            replay.play(transport, patient);
        }
    }

    private ReplayedMachine build(ReplayTransport transport, Mismatches mismatches, PlayingMeter meter)
            throws UnusableTraceException {
        try {
            return new ReplayedMachine(transport, survey, mismatches, meter);
        } catch (IllegalArgumentException impossible) {
            throw new UnusableTraceException(trace.name() + ":1: expected a configuration that can be built, found "
                    + impossible.getMessage());
        }
    }
}
