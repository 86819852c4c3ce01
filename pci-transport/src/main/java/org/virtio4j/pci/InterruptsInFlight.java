// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The interrupts that were decided on under their owner's lock and are being sent without it, so that a thread that
 * takes something back can wait for them. Guarded by that lock, which a wait releases.
 *
 * <p>Allocates only when more threads send at once than ever before.
 */
final class InterruptsInFlight {

    /** In place of a vector: all of them. */
    static final int ALL = -1;

    private static final int FEW = 2;

    /** One interrupt on its way; the fields are its sender's until {@link #end}. */
    static final class Departure {
        private @Nullable Thread sender;
        private long number;
        private int vector;
        private long round;
        private long address;
        private int data;

        int vector() {
            return vector;
        }

        /** What {@link EventVectors#take} said. */
        long round() {
            return round;
        }

        long address() {
            return address;
        }

        int data() {
            return data;
        }

        /** Keeps where the message goes, if the owner sends one. */
        Departure with(long itsRound, long itsAddress, int itsData) {
            round = itsRound;
            address = itsAddress;
            data = itsData;
            return this;
        }
    }

    private final Condition ended;
    private Departure[] places = new Departure[0];
    private long begun;
    private int waiting;

    InterruptsInFlight(ReentrantLock lock) {
        ended = lock.newCondition();
    }

    Departure begin(int vector) {
        Departure free = free();
        free.sender = Thread.currentThread();
        begun++;
        free.number = begun;
        free.vector = vector;
        return free;
    }

    void end(Departure departure) {
        departure.sender = null;
        if (waiting > 0) {
            ended.signalAll();
        }
    }

    /**
     * Waits for the interrupts of one vector, or of {@link #ALL}, that have begun so far; those that begin meanwhile
     * are not waited for. Nor are the calling thread's own: it is inside of a sink, and what it is sending has arrived.
     */
    void await(int vector) {
        long last = begun;
        waiting++;
        try {
            while (anyUntil(last, vector)) {
                ended.awaitUninterruptibly();
            }
        } finally {
            waiting--;
        }
    }

    private boolean anyUntil(long last, int vector) {
        Thread self = Thread.currentThread();
        for (Departure place : places) {
            if (place.sender != null && !self.equals(place.sender) && place.number <= last
                    && (vector == ALL || place.vector == vector)) {
                return true;
            }
        }
        return false;
    }

    private Departure free() {
        for (Departure place : places) {
            if (place.sender == null) {
                return place;
            }
        }
        int count = places.length;
        places = Arrays.copyOf(places, count + FEW);
        Arrays.setAll(places, i -> i < count ? places[i] : new Departure());
        return places[count];
    }
}
