// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.mmio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.virtio4j.vmm.InterruptLine;

/**
 * The events that the guest has not acknowledged, and the line that is high while there are any. Any thread may call
 * any method; none takes a lock, and none allocates.
 */
final class InterruptStatus {

    private static final VarHandle BITS = bitsHandle();

    private final InterruptLine line;
    private volatile int bits;

    InterruptStatus(InterruptLine line) {
        this.line = line;
    }

    int bits() {
        return bits;
    }

    void raise(int event) {
        if ((int) BITS.getAndBitwiseOr(this, event) == 0) {
            settle();
        }
    }

    void acknowledge(int events) {
        int old = (int) BITS.getAndBitwiseAnd(this, ~events);
        if (old != 0 && (old & ~events) == 0) {
            settle();
        }
    }

    /** Drops all events but leaves the line alone, for callers that hold a lock: {@link #settle} must follow. */
    void forget() {
        bits = 0;
    }

    /**
     * Brings the line to where the events say. Two threads may do so at once and overtake each other, so each looks
     * again after it has set the line: whoever set it last sees that nothing has changed since, or sets it again.
     */
    void settle() {
        boolean level;
        do {
            level = bits != 0;
            line.set(level);
            // The line may be a plain store of the embedder's: it must not be delayed beyond the look that follows.
            VarHandle.fullFence();
        } while (level != (bits != 0));
    }

    private static VarHandle bitsHandle() {
        try {
            return MethodHandles.lookup().findVarHandle(InterruptStatus.class, "bits", int.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }
}
