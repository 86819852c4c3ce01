// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.BitSet;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * Which vector each event has, and which events are pending on it. A vector may have several events, and what pends is
 * remembered event by event: one of them can be withdrawn without another's interrupt. Guarded by its owner's lock;
 * only {@link #giveBack}, {@link #addTo} and {@link #unmapAll} look at every event.
 *
 * <p>The pending events of a vector are taken all at once, since they are one message. To do so without a look at
 * each, every vector counts rounds: an event pends while the round in which it was added is that of its vector.
 */
final class EventVectors {

    private static final long NEVER = -1;

    private final int vectors;
    private final int[] vectorOf;
    private final long[] addedIn;
    private final long[] rounds;
    private final int[] counts;
    private final BitSet pending;

    EventVectors(int events, int vectors) {
        this.vectors = vectors;
        this.vectorOf = new int[events];
        this.addedIn = new long[events];
        this.rounds = new long[vectors];
        this.counts = new int[vectors];
        this.pending = new BitSet(vectors);
        unmapAll();
    }

    int vector(int event) {
        return vectorOf[event];
    }

    /** An event is pending from now on, if it has a vector; returns that. */
    int add(int event) {
        int vector = vectorOf[event];
        if (vector != CommonConfig.NO_VECTOR && addedIn[event] != rounds[vector]) {
            addedIn[event] = rounds[vector];
            counts[vector]++;
            pending.set(vector);
        }
        return vector;
    }

    boolean isPending(int vector) {
        return pending.get(vector);
    }

    /** The first vector from here on with a pending event, or a negative number. */
    int nextPending(int from) {
        return pending.nextSetBit(from);
    }

    /** Nothing is pending on the vector any more; returns what {@link #giveBack} needs. */
    long take(int vector) {
        clear(vector);
        return rounds[vector]++;
    }

    /** What was taken is pending again, except events that were withdrawn meanwhile. */
    void giveBack(int vector, long round) {
        for (int event = 0; event < vectorOf.length; event++) {
            if (vectorOf[event] == vector && addedIn[event] == round) {
                add(event);
            }
        }
    }

    /** What pends on a vector here pends in other records of the same events, too. */
    void addTo(EventVectors other, int vector) {
        for (int event = 0; event < vectorOf.length; event++) {
            if (vectorOf[event] == vector && addedIn[event] == rounds[vector]) {
                int ignored = other.add(event);
            }
        }
    }

    /** Withdraws what the event has raised and maps it; says whether its old vector has nothing pending left. */
    boolean map(int event, int vector) {
        int before = vectorOf[event];
        boolean last = false;
        if (before != CommonConfig.NO_VECTOR && addedIn[event] == rounds[before]) {
            counts[before]--;
            last = counts[before] == 0;
            if (last) {
                clear(before);
            }
        }
        addedIn[event] = NEVER;
        vectorOf[event] = vector < vectors ? vector : CommonConfig.NO_VECTOR;
        return last;
    }

    /** Nothing is pending any more, and nothing that was taken comes back; the vectors stay. */
    void withdrawAll() {
        Arrays.fill(addedIn, NEVER);
        Arrays.fill(counts, 0);
        pending.clear();
    }

    /** No event has a vector any more, and nothing is pending. */
    void unmapAll() {
        withdrawAll();
        Arrays.fill(vectorOf, CommonConfig.NO_VECTOR);
    }

    private void clear(int vector) {
        counts[vector] = 0;
        pending.clear(vector);
    }
}
