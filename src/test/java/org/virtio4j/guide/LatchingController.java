// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

/**
 * An interrupt controller as some emulators have it in the place of a PLIC: it takes a line's rise, and drops at the
 * guest's claim that the line is high.
 */
final class LatchingController {

    private int pending;

    void raise(int line) {
        pending |= 1 << line;
    }

    void lower(int line) {
        pending &= ~(1 << line);
    }

    boolean isPending(int line) {
        return (pending & (1 << line)) != 0;
    }

    boolean isIdle() {
        return pending == 0;
    }

    /** The lowest line that is pending, which it is no longer then; negative if there is none. */
    int claim() {
        int line = pending == 0 ? -1 : Integer.numberOfTrailingZeros(pending);
        pending &= pending - 1;
        return line;
    }
}
