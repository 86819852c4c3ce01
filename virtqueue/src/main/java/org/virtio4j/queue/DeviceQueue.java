// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

/**
 * The device's side of one virtqueue, whatever its layout. A device takes chains, completes them in any order, and
 * publishes what it completed in one go; which ring it runs on does not show.
 *
 * <p>{@link org.virtio4j.device.QueueLoop} calls all this as it must be called; a device says what is done with a
 * buffer.
 *
 * <p>A device that must wait between taking and completing leaves the section meanwhile and enters again; chains
 * outlive sections.
 *
 * <p>A queue that is {@linkplain QueueSettings#polled polled} asks its driver for no notification from the first
 * section that reaches the ring to the end of the queue, whatever else is called (virtio 1.4, section 2.7.10). A driver
 * may notify all the same.
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
     * Whether a chain is available, by a look at the driver's index alone. Inside a section.
     *
     * @return false too when nothing can be taken: see {@link #failure}
     * @throws IllegalStateException if no section is open
     */
    boolean hasAvailable();

    /**
     * Takes the next available chain as {@link #poll} does. Where there is none, asks the driver to notify of the next
     * one, and looks again. So false means that the driver will notify, that nothing can be taken, or that the queue is
     * polled. Inside a section.
     *
     * @param into as for {@link #poll}
     * @return whether a chain was taken
     * @throws IllegalStateException as {@link #poll}
     */
    boolean pollOrEnable(Chain into);

    /**
     * Asks the driver to notify of everything it makes available from now on, for a device that has served for long
     * enough. Of what is available already nobody will be notified, so the device serves that much before it leaves.
     * Inside a section.
     *
     * @return how many buffers are available; 0 if the ring cannot be reached, or has failed meanwhile
     */
    int handOver();

    /**
     * Puts a chain into the used ring with the length that was written to it, not visible yet. Inside a section. The
     * chain is only emptied if the queue was closed meanwhile, or DMA was stopped since the chain was taken, even if it
     * goes on now.
     *
     * @param chain a chain of this queue, empty afterwards
     * @throws IllegalStateException if {@code chain} holds no chain of this queue, or no section is open
     */
    void complete(Chain chain);

    /**
     * Makes everything completed so far visible to the driver, with one store. What the ring is out of reach for is
     * made visible by a later call. Inside a section or outside of any.
     *
     * @return whether the driver wants a used buffer notification for it
     */
    boolean publish();

    /** Asks the driver not to notify of available buffers. It may all the same. Inside a section or outside of any. */
    void disableNotifications();

    /**
     * Asks the driver to notify of available buffers again, unless the queue is polled. Inside a section or outside of
     * any.
     *
     * @return whether buffers became available before the driver could know, so that one has to look again; false where
     *         it was not asked
     */
    boolean enableNotifications();

    /**
     * Whether this section reaches the ring. It does not once the queue was closed, and while DMA is stopped (see
     * {@link org.virtio4j.dma.DmaGate}); what is completed then is lost. Inside a section.
     *
     * @return the same throughout a section
     */
    boolean isReachable();

    /**
     * Whether the ring is out of reach only because the embedder is {@linkplain
     * org.virtio4j.vmm.GuestMemory#beginExchange exchanging memory}, or the device's function sleeps, so that a chain
     * at work can be given back later. Inside a section.
     *
     * @return the same throughout a section
     */
    boolean isAway();

    /**
     * Says that something threw while this queue was served, and nobody knows how far that came. From now on nothing is
     * taken, completed or published any more. The thread of the queue; a section that is open is left.
     */
    void giveUp();

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
     * Ends all access from the next section on, and waits for nothing; {@link #close} must follow. Any thread.
     */
    void shut();

    /**
     * Ends all access to the ring and to the buffers of its chains; returns when no section is left that began before.
     * Any thread but the one inside a section of this queue.
     */
    @Override
    void close();
}
