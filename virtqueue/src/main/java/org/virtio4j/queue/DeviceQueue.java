// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

/**
 * The device's side of one virtqueue, whatever its layout. A device takes chains, completes them in any order, and
 * publishes what it completed in one go; which ring it runs on does not show.
 *
 * <pre>{@code
 * queue.enter();
 * while (queue.poll(chain)) {       // chain.read(…), chain.write(…) inside the section
 *     queue.complete(chain);
 * }
 * queue.leave();
 * boolean interrupt = queue.publish();
 * }</pre>
 *
 * <p>A device that must wait between taking and completing leaves the section meanwhile and enters again; chains
 * outlive sections.
 *
 * <p>A queue belongs to one thread at a time. {@link #failure} may be asked by any thread; {@link #close} is called by
 * the life cycle, from any thread. No method throws because of what a driver wrote, and none allocates.
 */
public interface DeviceQueue extends AutoCloseable {

    /**
     * Opens a section on the queue's DMA handle, and makes sure that the ring is where it was.
     *
     * @throws IllegalStateException if a section is open
     */
    void enter();

    /**
     * Ends the section.
     *
     * @throws IllegalStateException if no section is open
     */
    void leave();

    /**
     * Takes the next available chain, checked as a whole. Inside a section.
     *
     * @param into filled with the chain; it must be empty or completed
     * @return false when nothing is available, or nothing can be taken: see {@link #failure}
     * @throws IllegalStateException if {@code into} holds a chain that is not completed, or no section is open
     */
    boolean poll(Chain into);

    /**
     * Puts a chain into the used ring with the length that was written to it, not visible yet. Inside a section.
     * Nothing happens if the queue was closed meanwhile.
     *
     * @param chain a chain of this queue, empty afterwards
     * @throws IllegalStateException if {@code chain} holds no chain of this queue, or no section is open
     */
    void complete(Chain chain);

    /**
     * Makes everything completed so far visible to the driver, with one store. Outside any section.
     *
     * @return whether the driver wants a used buffer notification for it
     */
    boolean publish();

    /** Asks the driver not to notify of available buffers. It may all the same. Outside any section. */
    void disableNotifications();

    /**
     * Asks the driver to notify of available buffers again. Outside any section.
     *
     * @return whether buffers became available before the driver could know, so that one has to look again
     */
    boolean enableNotifications();

    /**
     * Whether this section reaches the ring. It does not once the queue was closed, and while DMA is stopped (see
     * {@link org.virtio4j.vmm.DmaGate}); what is completed then is lost. Inside a section.
     *
     * @return the same throughout a section
     */
    boolean isReachable();

    /**
     * Whether and why this queue takes no more buffers.
     *
     * @return the first reason, {@link QueueFailure#NONE} if there is none
     */
    QueueFailure failure();

    /**
     * How many entries the ring has.
     *
     * @return the queue size that the driver chose
     */
    int size();

    /**
     * Ends all access to the ring and to the buffers of its chains; returns when no section is left that began before.
     * Any thread but the one inside a section of this queue.
     */
    @Override
    void close();
}
