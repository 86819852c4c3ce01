// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;

/**
 * Counts the lines that did not come out as recorded, and keeps the first in words. The words are made while the meter
 * is paused:
 *
 * <pre>{@code
 * if (mismatches.begin(line)) {
 *     mismatches.end("UNMAP", "status OK", "status RANGE");
 * }
 * }</pre>
 */
public final class Mismatches {

    private final String file;
    private final PlayingMeter meter;
    private final List<Mismatch> first = new ArrayList<>();
    private long count;
    private long line;

    public Mismatches(String file, PlayingMeter meter) {
        this.file = file;
        this.meter = meter;
    }

    /** One line more, unless it is the same as before; true if what happened is to be put into words. */
    public boolean begin(long atLine) {
        if (atLine == line) {
            return false;
        }
        count++;
        line = atLine;
        if (first.size() == TraceResult.MOST_MISMATCHES) {
            return false;
        }
        meter.pause();
        return true;
    }

    public void end(String event, String expected, String came) {
        first.add(new Mismatch(file, line, event + ": expected " + expected + ", came " + came));
        meter.resume();
    }

    public long count() {
        return count;
    }

    public List<Mismatch> first() {
        return List.copyOf(first);
    }
}
