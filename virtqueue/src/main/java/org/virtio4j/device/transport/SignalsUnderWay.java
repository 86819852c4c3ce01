// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Counts the threads that are on their way to the embedder with a signal, for each kind of signal apart; resets wait
 * for them, so that none arrives after. A thread that signals counts first and looks then; a reset takes away first and
 * looks at the count then: one of the two notices the other.
 *
 * <p>A reset that an embedder makes from within a signal does not wait for that signal, which would be for itself. So
 * each thread is written down while it is counted, as often as it is.
 *
 * <p>Any thread may call; nothing waits, and nothing is allocated unless more threads signal at once than ever before.
 */
final class SignalsUnderWay {

    /** Room for one thread, which stays when the thread has left. */
    private static final class Place {

        final AtomicReference<@Nullable Thread> thread;
        final @Nullable Place next;

        Place(@Nullable Thread thread, @Nullable Place next) {
            this.thread = new AtomicReference<>(thread);
            this.next = next;
        }
    }

    private final AtomicIntegerArray counts;

    /** The places of each kind; new ones come first. */
    private final AtomicReferenceArray<Place> places;

    SignalsUnderWay(int kinds) {
        counts = new AtomicIntegerArray(kinds);
        places = new AtomicReferenceArray<>(kinds);
        for (int kind = 0; kind < kinds; kind++) {
            places.set(kind, new Place(null, null));
        }
    }

    void begin(int kind) {
        counts.getAndIncrement(kind);
        Thread self = Thread.currentThread();
        for (Place place = places.get(kind); place != null; place = place.next) {
            if (place.thread.compareAndSet(null, self)) {
                return;
            }
        }
        boolean added = false;
        while (!added) {
            Place first = places.get(kind);
            added = places.compareAndSet(kind, first, new Place(self, first));
        }
    }

    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    void end(int kind) {
        Thread self = Thread.currentThread();
        Place place = places.get(kind);
        while (place != null && place.thread.get() != self) {
            place = place.next;
        }
        if (place != null) {
            place.thread.set(null);
        }
        counts.decrementAndGet(kind);
    }

    /** Whether nobody but the caller is on the way. */
    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    boolean isQuiet(int kind) {
        int others = counts.get(kind);
        Thread self = Thread.currentThread();
        for (Place place = places.get(kind); place != null && others > 0; place = place.next) {
            others -= place.thread.get() == self ? 1 : 0;
        }
        return others == 0;
    }
}
