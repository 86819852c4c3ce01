// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.input;

/** Sees how far a replay has come, and can end it. Called often, between events, on the thread that plays. */
@FunctionalInterface
public interface ReplayObserver {

    /** What is done with the events of a trace. */
    enum Phase {
        /** They are read and counted. */
        READING,
        /** They are played, but nothing is measured or compared. */
        WARMING_UP,
        /** They are played for good. */
        PLAYING
    }

    /**
     * Some events more are done. What this does is not part of any measurement.
     *
     * @param phase what is being done
     * @param trace which trace it is done with
     * @param done  how many of its events are done
     * @param total how many there are, 0 while they are being counted
     * @return false to end the phase here
     */
    boolean goOn(Phase phase, TraceFile trace, long done, long total);
}
