// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.BooleanSupplier;
import org.virtio4j.vmm.InterruptLine;

/**
 * The events that the guest has not acknowledged, and the line that is high while there are any: what transports with
 * a level-triggered interrupt have in common (virtio 1.4, sections 4.1.4.5 and 4.2.2).
 *
 * <p>Any thread may call any method; none takes a lock, and none allocates. Those that may change the line call the
 * embedder, and so are called under no lock.
 */
public final class InterruptStatus {

    private static final VarHandle BITS = bitsHandle();

    private final InterruptLine line;
    private final BooleanSupplier lineUsed;
    private volatile int bits;

    /**
     * No event, and a line that is low.
     *
     * @param line     the embedder's
     * @param lineUsed whether events raise the line just now; reads volatile state and takes no lock, and whoever
     *                 changes its answer calls {@link #settle}
     */
    public InterruptStatus(InterruptLine line, BooleanSupplier lineUsed) {
        this.line = line;
        this.lineUsed = lineUsed;
    }

    /**
     * The events that are not acknowledged.
     *
     * @return a sum of what {@link #raise} was given
     */
    public int bits() {
        return bits;
    }

    /**
     * Adds an event.
     *
     * @param event its bit
     */
    public void raise(int event) {
        if ((int) BITS.getAndBitwiseOr(this, event) == 0) {
            settle();
        }
    }

    /**
     * Drops events that the guest has handled.
     *
     * @param events a sum of bits, of events that are there or not
     */
    public void acknowledge(int events) {
        int old = (int) BITS.getAndBitwiseAnd(this, ~events);
        if (old != 0 && (old & ~events) == 0) {
            settle();
        }
    }

    /**
     * Drops all events and says which there were.
     *
     * @return a sum of bits
     */
    public int take() {
        int old = (int) BITS.getAndSet(this, 0);
        if (old != 0) {
            settle();
        }
        return old;
    }

    /** Drops all events but leaves the line alone, for callers that hold a lock: {@link #settle} must follow. */
    public void forget() {
        bits = 0;
    }

    /**
     * Brings the line to where the events say. Two threads may do so at once and overtake each other, so each looks
     * again after it has set the line: whoever set it last sees that nothing has changed since, or sets it again.
     */
    public void settle() {
        boolean level;
        do {
            level = wanted();
            line.set(level);
            // The line may be a plain store of the embedder's: it must not be delayed beyond the look that follows.
            VarHandle.fullFence();
        } while (level != wanted());
    }

    private boolean wanted() {
        return bits != 0 && lineUsed.getAsBoolean();
    }

    private static VarHandle bitsHandle() {
        try {
            return MethodHandles.lookup().findVarHandle(InterruptStatus.class, "bits", int.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }
}
