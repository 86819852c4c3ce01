// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongUnaryOperator;
import org.virtio4j.vmm.GuestMemory;

/**
 * Lets a device's DMA through or stops all of it, as the bus master bit of a PCI function does. A {@link DmaSpace}
 * {@linkplain DmaSpace#behind behind} a closed gate gives {@link DmaResult#CLOSED} for every access; handles stay open
 * and work again in the first section after the gate was opened. Compare {@link DmaHandle#opening} to find out whether
 * the gate was closed meanwhile. A gate that is {@linkplain #pause paused} lets nothing through either, but what was
 * begun before goes on when it is {@linkplain #resume resumed}.
 *
 * <p>Any thread may call, but {@link #close} and {@link #pause} not from inside a section.
 */
public final class DmaGate {

    private static final Duration LIMIT = Duration.ofSeconds(1);

    /** In {@link #passage}: nothing goes through, but the opening is still the same. */
    private static final long PAUSED = 1L << 62;

    private final GuestMemory memory;
    private final ReentrantLock changes = new ReentrantLock();

    /** How often it was opened and closed so far: odd while it is open. And {@link #PAUSED}. */
    private volatile long passage;

    /**
     * A gate that is closed.
     *
     * @param memory whose sections {@link #close} waits for
     */
    public DmaGate(GuestMemory memory) {
        this.memory = memory;
    }

    /**
     * Whether DMA goes through.
     *
     * @return true from {@link #open} to {@link #close}, except during a {@link #pause}
     */
    public boolean isOpen() {
        return isOpen(passage);
    }

    /** Lets DMA through, in sections that begin from now on. A pause goes on. */
    public void open() {
        change(before -> moved(before, true));
    }

    /**
     * Stops DMA. When this returns, no section is open that could still reach memory through the gate; what was stored
     * before stays.
     */
    public void close() {
        change(before -> moved(before, false));
        awaitSections();
    }

    /**
     * Stops DMA for a while, if the gate is open: {@link #resume} lets it through again, as the same opening. When this
     * returns, no section is open that could still reach memory.
     */
    public void pause() {
        change(before -> isOpen(before) ? before | PAUSED : before);
        awaitSections();
    }

    /**
     * Ends a pause.
     *
     * @return whether there was one
     */
    public boolean resume() {
        return isPaused(change(DmaGate::opening));
    }

    /**
     * Whether the gate is paused.
     *
     * @return true from {@link #pause} to {@link #resume} or {@link #close}
     */
    public boolean isPaused() {
        return isPaused(passage);
    }

    /** A number that moves whenever the gate is opened, closed, paused or resumed. */
    long passage() {
        return passage;
    }

    static boolean isOpen(long passage) {
        return (passage & (PAUSED | 1)) == 1;
    }

    static boolean isPaused(long passage) {
        return (passage & PAUSED) != 0;
    }

    /** The opening, which a pause is a part of. */
    static long opening(long passage) {
        return passage & ~PAUSED;
    }

    /** Where a passage leads when the gate is opened or closed; a pause ends, unless the gate is open and stays so. */
    private static long moved(long passage, boolean open) {
        long opening = opening(passage);
        return isOpen(opening) == open ? passage : opening + 1;
    }

    /** Puts another passage in the place of the present one, which is returned. */
    private long change(LongUnaryOperator next) {
        changes.lock();
        try {
            long before = passage;
            passage = next.applyAsLong(before);
            return before;
        } finally {
            changes.unlock();
        }
    }

    private void awaitSections() {
        // Sections sample the gate after the fence of their entry, so it is taken away like anything else.
        memory.gracePeriods().awaitAll(LIMIT);
    }
}
