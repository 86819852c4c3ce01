// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets a device's DMA through or stops all of it, as the bus master bit of a PCI function does. A {@link DmaSpace}
 * {@linkplain DmaSpace#behind behind} a closed gate gives {@link DmaResult#CLOSED} for every access; handles stay open
 * and work again in the first section after the gate was opened. Who must know whether the gate was closed meanwhile
 * compares {@link DmaHandle#opening}.
 *
 * <p>Any thread may call, but {@link #close} not from inside a section.
 */
public final class DmaGate {

    private static final Duration LIMIT = Duration.ofSeconds(1);

    private final GuestMemory memory;
    private final ReentrantLock changes = new ReentrantLock();

    /** How often it was opened and closed so far: odd while it is open. */
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
     * @return true from {@link #open} to {@link #close}
     */
    public boolean isOpen() {
        return isOpen(passage);
    }

    /** Lets DMA through, in sections that begin from now on. */
    public void open() {
        move(true);
    }

    /**
     * Stops DMA. When this returns, no section is open that could still reach memory through the gate; what was stored
     * before stays.
     */
    public void close() {
        move(false);
        // Sections sample the gate after the fence of their entry, so it is taken away like anything else.
        memory.readers().awaitAll(LIMIT);
    }

    /** A number that moves whenever the gate is opened or closed. */
    long passage() {
        return passage;
    }

    static boolean isOpen(long passage) {
        return (passage & 1) != 0;
    }

    private void move(boolean open) {
        changes.lock();
        try {
            long now = passage;
            if (isOpen(now) != open) {
                passage = now + 1;
            }
        } finally {
            changes.unlock();
        }
    }
}
