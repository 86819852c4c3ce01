// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import org.virtio4j.driver.iommu.FaultReport;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.replay.survey.EventWindow;

/**
 * Finds the fault reports of a trace on the event queue, in their order. Reports in between are passed over: where the
 * recorded driver had no buffer for a report, the trace does not have it.
 */
final class FaultPlayer {

    private final IommuDriver driver;
    private final int queueSize;
    private final Mismatches mismatches;
    private final FaultReport report = new FaultReport();
    private int unread;

    FaultPlayer(IommuDriver driver, int queueSize, Mismatches mismatches) {
        this.driver = driver;
        this.queueSize = queueSize;
        this.mismatches = mismatches;
    }

    /** A fault is about to be reported: where all buffers may hold reports that no line asked for, they are dropped. */
    void makeRoom() {
        if (unread == queueSize) {
            while (driver.pollEvent(report)) {
                unread = 0;
            }
        }
        unread++;
    }

    void play(EventWindow window, int event) {
        int passedOver = 0;
        while (driver.pollEvent(report)) {
            unread = Math.max(0, unread - 1);
            if (matches(window, event)) {
                return;
            }
            passedOver++;
        }
        complain(window, event, passedOver);
    }

    /** After a reset. */
    void clear() {
        unread = 0;
    }

    /** No driver is there to find a report. */
    void complain(EventWindow window, int event, int passedOver) {
        if (mismatches.begin(window.line(event))) {
            String came = passedOver == 0 ? "no report" : passedOver + " others, of which the last " + report;
            mismatches.end("FAULT", "fault reason " + window.reason(event) + " flags 0x"
                    + Integer.toHexString(window.flags(event)) + " endpoint "
                    + Integer.toUnsignedString(window.endpoint(event)) + " address 0x"
                    + Long.toHexString(window.address(event)), came);
        }
    }

    private boolean matches(EventWindow window, int event) {
        return report.wellFormed() && report.reason() == window.reason(event) && report.flags() == window.flags(event)
                && report.endpoint() == window.endpoint(event) && report.address() == window.address(event);
    }
}
