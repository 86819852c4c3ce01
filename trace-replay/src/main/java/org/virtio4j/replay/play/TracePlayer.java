// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.EnumMap;
import java.util.Map;
import org.virtio4j.replay.input.ReplayObserver;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.replay.survey.EventWindow;
import org.virtio4j.replay.survey.TraceSurvey;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceReader;

/**
 * Plays a trace on one machine, once, window by window; the meter runs while events are played and at no other time.
 */
public final class TracePlayer {

    private final TraceFile trace;
    private final TraceSurvey survey;
    private final ReplayedMachine machine;
    private final Mismatches mismatches;
    private final PlayingMeter meter;
    private final EventWindow window = new EventWindow();
    private long played;

    public TracePlayer(TraceFile trace, TraceSurvey survey, ReplayedMachine machine, Mismatches mismatches,
            PlayingMeter meter) {
        this.trace = trace;
        this.survey = survey;
        this.machine = machine;
        this.mismatches = mismatches;
        this.meter = meter;
    }

    public TraceResult play(TraceReader reader, ReplayObserver observer) throws TraceFormatException {
        boolean goesOn = true;
        while (goesOn && window.fill(reader)) {
            goesOn = observer.goOn(ReplayObserver.Phase.PLAYING, trace, played, survey.events()) && playWindow();
        }
        // What is still in a ring is answered, also when the user has ended the replay.
        boolean alive = finish();
        return result(goesOn && alive);
    }

    private boolean playWindow() {
        meter.resume();
        boolean alive = true;
        for (int event = 0; event < window.count() && alive; event++) {
            ReplayedIommu iommu = machine.iommu(window.iommu(event));
            iommu.play(window, event);
            alive = !iommu.stuck();
            played++;
        }
        for (int i = 0; i < machine.count() && alive; i++) {
            machine.iommu(i).leaveWindow();
            alive = !machine.iommu(i).stuck();
        }
        meter.pause();
        return alive;
    }

    private boolean finish() {
        meter.resume();
        boolean alive = true;
        for (int i = 0; i < machine.count(); i++) {
            machine.iommu(i).finish();
            alive &= !machine.iommu(i).stuck();
        }
        meter.pause();
        return alive;
    }

    private TraceResult result(boolean complete) {
        Map<EventKind, Long> requests = new EnumMap<>(EventKind.class);
        long kicks = 0;
        long translations = 0;
        for (int i = 0; i < machine.count(); i++) {
            ReplayedIommu iommu = machine.iommu(i);
            for (EventKind kind : EventKind.values()) {
                requests.merge(kind, iommu.requests().count(kind), Long::sum);
            }
            kicks += iommu.requests().kicks();
            translations += iommu.translations();
        }
        return new TraceResult(trace.name(), machine.transport(), complete, played, requests, kicks, translations,
                meter.nanos(), meter.bytes(), machine.peakMappings(), mismatches.count(), mismatches.first());
    }
}
