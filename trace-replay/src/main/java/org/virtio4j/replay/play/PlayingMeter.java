// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.virtio4j.replay.result.TraceResult;

/**
 * Measures the time that passes and the heap memory that the current thread allocates between {@link #resume} and
 * {@link #pause}, over any number of such intervals. Pauses nest: it runs while there is no pause without its resume.
 * Paused at the start. Belongs to one thread.
 */
public final class PlayingMeter {

    private static final int CALIBRATION_INTERVALS = 1_000;

    private final ThreadMXBean threads;
    private final boolean counts;
    private long ownBytes;
    private int pauses = 1;
    private long nanos;
    private long bytes;
    private long intervals;
    private long startNanos;
    private long startBytes;

    private PlayingMeter(ThreadMXBean threads) {
        this.threads = threads;
        this.counts = threads.isThreadAllocatedMemorySupported() && threads.isThreadAllocatedMemoryEnabled();
    }

    /** A meter that has found out what measuring itself allocates, and leaves it out. */
    public static PlayingMeter calibrated() {
        PlayingMeter meter = new PlayingMeter((ThreadMXBean) ManagementFactory.getThreadMXBean());
        meter.runEmpty();
        meter.clear();
        meter.runEmpty();
        meter.ownBytes = meter.bytes / CALIBRATION_INTERVALS;
        meter.clear();
        return meter;
    }

    public void resume() {
        pauses--;
        if (pauses == 0) {
            startBytes = allocated();
            startNanos = System.nanoTime();
        }
    }

    public void pause() {
        if (pauses == 0) {
            nanos += System.nanoTime() - startNanos;
            bytes += allocated() - startBytes;
            intervals++;
        }
        pauses++;
    }

    public long nanos() {
        return nanos;
    }

    public long bytes() {
        return counts ? bytes - intervals * ownBytes : TraceResult.UNKNOWN;
    }

    private long allocated() {
        return counts ? threads.getCurrentThreadAllocatedBytes() : 0;
    }

    private void runEmpty() {
        for (int i = 0; i < CALIBRATION_INTERVALS; i++) {
            resume();
            pause();
        }
    }

    private void clear() {
        nanos = 0;
        bytes = 0;
        intervals = 0;
    }
}
