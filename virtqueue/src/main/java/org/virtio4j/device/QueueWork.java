// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import org.virtio4j.queue.Chain;

/**
 * What a device does with the buffers of one queue; the writer of a device implements it, and a {@link QueueLoop} calls
 * it, one thread at a time. Buffers come in batches of one to {@link #batch}: each is {@linkplain #take taken}, then
 * the batch is {@linkplain #work worked} on, then each is {@linkplain #answer answered}, and the driver sees them all
 * at once.
 *
 * <p>Whatever a method throws ends the service of the queue: the device then needs a reset, and the exception comes out
 * of the call that served.
 */
public interface QueueWork {

    /**
     * How many buffers may be at work at once.
     *
     * @return at least 1, the same each time
     */
    default int batch() {
        return 1;
    }

    /**
     * How many buffers there is use for just now. A device that fills buffers when it has something to say overrides
     * this; while the answer is 0 the driver is not asked to notify.
     *
     * @return at most {@link #batch}
     */
    default int room() {
        return batch();
    }

    /**
     * Whether there is nothing to do between taking a buffer and answering it. It is then answered in the section it
     * was taken in, and neither {@link #take} nor {@link #work} nor {@link #beforePublish} is called.
     *
     * @return the same each time
     */
    default boolean answersAtOnce() {
        return false;
    }

    /**
     * Begins with a buffer that was just taken. Inside a section: copy and go.
     *
     * @param slot  which of the batch, from 0
     * @param chain the buffer
     */
    void take(int slot, Chain chain);

    /**
     * Begins again with a buffer whose {@link #work} could not be done. Inside a section.
     *
     * @param slot  which of the batch
     * @param chain the buffer
     */
    default void takeAgain(int slot, Chain chain) {
        take(slot, chain);
    }

    /**
     * Does what the buffers ask for, outside any section.
     *
     * @param count how many were taken
     * @param loop  the loop that serves, whose {@link QueueLoop#read}, {@link QueueLoop#write} and {@link
     *              QueueLoop#wanted} are meant for this method
     * @return false if guest memory was out of reach before the work was done. When memory is back, it is done again
     *         from {@link #takeAgain}; if the driver does not wait for it any more, it is given up.
     */
    boolean work(int count, QueueLoop loop);

    /**
     * Ends with a buffer; all of a batch are given back when each has its answer. Inside a section; what is written to
     * a buffer that the driver does not wait for any more goes nowhere.
     *
     * @param slot  which of the batch
     * @param chain the buffer
     * @return false if guest memory was out of reach, that is, if writing to the buffer gave {@link
     *         org.virtio4j.dma.DmaResult#CLOSED}. When memory is back, this is called again for the same buffer,
     *         without {@link #work}; if the driver does not wait for it any more, the buffer is dropped. True also
     *         where the driver's buffer cannot be written, which is its own fault: its used length says so.
     */
    boolean answer(int slot, Chain chain);

    /**
     * Comes between the answers and the moment when the driver can see them. Outside any section.
     *
     * @param count how many were answered
     */
    default void beforePublish(int count) {
        // Most devices have nothing to wait for.
    }

    /**
     * Says that the driver can see the answers. Outside any section.
     *
     * @param count     how many
     * @param interrupt whether it wants to be interrupted for them
     */
    default void published(int count, boolean interrupt) {
        // Most devices have nothing to count.
    }

    /**
     * Whether to look for another buffer before the driver is asked to notify of it. Called when a look found nothing.
     *
     * @return true to look again at once
     */
    default boolean lingers() {
        return false;
    }

    /** Says that a pass is over: what was available is served. Outside any section. */
    default void passed() {
        // Most devices have nothing to count.
    }
}
