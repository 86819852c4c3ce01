// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.virtio4j.command.Interruption;
import org.virtio4j.replay.input.ReplayObserver;
import org.virtio4j.replay.input.TraceFile;

/**
 * Shows on one line of a terminal how far a replay has come, at most ten times a second, and ends the replay when the
 * user wants it. Where nobody is watching it shows nothing.
 */
final class ProgressLine implements ReplayObserver {

    /** Ten times a second, in nanoseconds. */
    static final long INTERVAL = 100_000_000;

    private static final String ERASE_LINE = "\r\033[K";

    private final PrintStream err;
    private final long interval;
    private final BooleanSupplier watched;
    private final Interruption interruption;
    private long lastNanos = System.nanoTime();
    private boolean shown;

    /** Asks only during a replay whether it is watched, because that loads much of the JDK. */
    ProgressLine(PrintStream err, long interval, BooleanSupplier watched, Interruption interruption) {
        this.err = err;
        this.interval = interval;
        this.watched = watched;
        this.interruption = interruption;
    }

    @Override
    public boolean goOn(Phase phase, TraceFile trace, long done, long total) {
        long now = System.nanoTime();
        if (now - lastNanos >= interval) {
            lastNanos = now;
            show(phase, trace, done, total);
        }
        return !interruption.requested();
    }

    private void show(Phase phase, TraceFile trace, long done, long total) {
        if (watched.getAsBoolean()) {
            shown = true;
            err.print(ERASE_LINE + text(phase, trace, done, total));
            err.flush();
        }
    }

    /** Removes the line from the terminal. */
    void clear() {
        if (shown) {
            err.print(ERASE_LINE);
            err.flush();
            shown = false;
        }
    }

    private static String text(Phase phase, TraceFile trace, long done, long total) {
        return switch (phase) {
            case READING -> String.format(Locale.ROOT, "%s: reading, %,d events", trace.name(), done);
            case WARMING_UP -> trace.name() + ": warming up";
            case PLAYING -> String.format(Locale.ROOT, "%s: %,d of %,d events, %d %%", trace.name(), done, total,
                    total == 0 ? 0 : 100 * done / total);
        };
    }
}
