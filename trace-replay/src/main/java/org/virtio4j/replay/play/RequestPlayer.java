// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import org.virtio4j.driver.hostile.HostileRequests;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.replay.survey.EventWindow;
import org.virtio4j.replay.survey.IommuSurvey;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.TraceEvent;

/**
 * Makes the requests of a trace through the driver. MAP, UNMAP and raw requests wait in the ring for the end of their
 * batch; the others are a kick of their own, as Linux makes them.
 */
final class RequestPlayer {

    private final IommuSurvey survey;
    private final VirtioIommu iommu;
    private final IommuDriver driver;
    private final HostileRequests hostile;
    private final PendingRequests pending;
    private final ServedRequests served;
    private final AnswerCheck check;
    private final Mismatches mismatches;

    /** By ordinal, because it is not kept beyond a replay. */
    private final long[] counts = new long[EventKind.values().length];
    private final byte[] rawBytes = new byte[TraceEvent.MAX_RAW_BYTES];
    private boolean requestSinceKick;
    private long bareKicks;
    private boolean stuck;

    RequestPlayer(IommuSurvey survey, VirtioIommu iommu, HostileRequests hostile, ComparedRequests compared,
            AnswerCheck check) {
        this.survey = survey;
        this.iommu = iommu;
        this.driver = hostile.driver();
        this.hostile = hostile;
        this.pending = compared.pending();
        this.served = compared.served();
        this.check = check;
        this.mismatches = compared.mismatches();
    }

    @SuppressWarnings("EnumOrdinal")
    void play(EventWindow window, int event) {
        counts[window.kind(event).ordinal()]++;
        requestSinceKick = true;
        switch (window.kind(event)) {
            case MAP -> sent(driver.map(pending.add(window, event), window.domain(event), window.virtStart(event),
                    window.virtEnd(event), window.physStart(event), window.flags(event)));
            case UNMAP -> sent(driver.unmap(pending.add(window, event), window.domain(event), window.virtStart(event),
                    window.virtEnd(event)));
            case RAW -> raw(window, event);
            case PROBE -> {
                sync();
                sent(driver.probe(pending.add(window, event), window.endpoint(event)));
            }
            default -> playAttachment(window, event);
        }
    }

    /** The recording notified the device. */
    void kick() {
        if (!pending.isEmpty()) {
            sync();
        } else if (!requestSinceKick) {
            driver.device().transport().notifyQueue(IommuDriver.REQUEST_QUEUE);
            bareKicks++;
        }
        requestSinceKick = false;
    }

    /** Ends a batch: a kick if there is something to kick for, and all answers. */
    void sync() {
        if (!pending.isEmpty() && !stuck) {
            sent(driver.sync());
            checkNothingLeft();
        }
    }

    /** The window is about to be replaced. */
    void leaveWindow() {
        if (pending.needsWindow()) {
            sync();
        }
    }

    /** After a reset. */
    void clear() {
        pending.clear();
        served.clear();
        requestSinceKick = false;
        countMappings();
    }

    /** Whether the device has stopped to answer, so that nothing more can be played. */
    boolean stuck() {
        return stuck;
    }

    @SuppressWarnings("EnumOrdinal")
    long count(EventKind kind) {
        return counts[kind.ordinal()];
    }

    long kicks() {
        return driver.kicks() + bareKicks;
    }

    private void raw(EventWindow window, int event) {
        check.window(window);
        window.copyReadable(event, rawBytes);
        sent(hostile.raw(pending.add(window, event), rawBytes, window.readableLength(event),
                window.writableLength(event)));
    }

    /** An ATTACH or DETACH, and how many mappings went with a domain that ended by it. */
    private void playAttachment(EventWindow window, int event) {
        sync();
        boolean counted = window.removed(event) != TraceEvent.UNRECORDED;
        long before = counted ? iommu.liveMappings() : 0;
        long tag = pending.add(window, event);
        int flags = survey.attachFlags(window.flagsRecorded(event), window.flags(event));
        sent(window.kind(event) == EventKind.ATTACH
                ? driver.attach(tag, window.domain(event), window.endpoint(event), flags)
                : driver.detach(tag, window.domain(event), window.endpoint(event)));
        checkNothingLeft();
        if (counted && !stuck) {
            long removed = before - iommu.liveMappings();
            if (removed != window.removed(event)) {
                check.complainOfRemoved(tag, window.removed(event), removed);
            }
        }
    }

    private void sent(DriverResult result) {
        if (result != DriverResult.OK && !stuck) {
            stuck = true;
            long tag = pending.oldest();
            if (mismatches.begin(pending.line(tag))) {
                mismatches.end(pending.describe(tag), "an answer", result + " " + driver.requestFailure()
                        + ", device status " + driver.device().transport().status());
            }
        }
    }

    /** After all requests were answered. */
    private void checkNothingLeft() {
        if (served.left() != 0 && !stuck) {
            served.clear();
            if (mismatches.begin(pending.line(pending.oldest() - 1))) {
                mismatches.end("batch", "the device to serve what was asked", "more");
            }
        }
        if (served.domainsChanged()) {
            countMappings();
        }
    }

    private void countMappings() {
        served.live(iommu.liveMappings());
        served.domainsCounted();
    }
}
