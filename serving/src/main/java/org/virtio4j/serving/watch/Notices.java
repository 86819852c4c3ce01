// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * What the user of a machine should be told at once, such as why a device stands still. A guest can cause such events
 * as fast as it likes, so events of a kind are joined. The first becomes a line of its own. Later ones are counted and
 * become one line after a second, then after two, and so on up to about a minute. After a longer pause it starts over.
 *
 * <p>Any thread may tell an event. It does not wait for anybody who prints, because the lines are kept until they are
 * taken.
 */
public final class Notices {

    private static final long SHORTEST_WAIT = 1_000_000_000;
    private static final long LONGEST_WAIT = 64 * SHORTEST_WAIT;

    private final LongSupplier nanoTime;
    private final ReentrantLock lock = new ReentrantLock();

    /** In the order of their first notices; guarded by the lock. */
    private final Map<String, Kind> kinds = new LinkedHashMap<>();

    /** The clock counts nanoseconds from any point. */
    public Notices(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Tells an event.
     *
     * @param kind   which device and what; there must be few of them, because each takes memory for good
     * @param detail may be different each time; the last one is shown
     */
    void tell(String kind, String detail) {
        tell(kind, detail, 1);
    }

    /** Tells an event that has happened several times. */
    void tell(String kind, String detail, long times) {
        lock.lock();
        try {
            kinds.computeIfAbsent(kind, Kind::new).add(detail, times);
        } finally {
            lock.unlock();
        }
    }

    /** Lines that are to be shown now. */
    public List<String> due() {
        return take(false);
    }

    /** All lines that were not shown yet; at the end. */
    public List<String> rest() {
        return take(true);
    }

    private List<String> take(boolean all) {
        List<String> lines = new ArrayList<>();
        lock.lock();
        try {
            long now = nanoTime.getAsLong();
            for (Kind kind : kinds.values()) {
                if (kind.waiting > 0 && (all || kind.isDue(now))) {
                    lines.add(kind.line(now));
                }
            }
        } finally {
            lock.unlock();
        }
        return lines;
    }

    /** Notices that are joined. */
    private static final class Kind {

        private final String name;
        private String detail = "";
        private long waiting;
        private long shownAt;

        /** How long after the last line the next may come; 0 if there was none. */
        private long wait;

        Kind(String name) {
            this.name = name;
        }

        void add(String text, long times) {
            detail = text;
            waiting += times;
        }

        boolean isDue(long now) {
            return wait == 0 || now - shownAt >= wait;
        }

        String line(long now) {
            boolean peace = wait == 0 || now - shownAt >= 2 * wait;
            wait = peace ? SHORTEST_WAIT : Math.min(2 * wait, LONGEST_WAIT);
            shownAt = now;
            long more = waiting - 1;
            waiting = 0;
            return name + ": " + detail + (more == 0 ? "" : String.format(Locale.ROOT, " … %,d more", more));
        }
    }
}
