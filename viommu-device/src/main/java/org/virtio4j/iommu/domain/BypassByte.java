// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

/**
 * The bypass byte of the configuration (virtio 1.4, section 5.13.4), and how often the device itself has changed it.
 * Readers load both, the control lock guards changes.
 */
public final class BypassByte {

    private static final int ON = 1;
    private static final int CHANGE = 2;

    private final boolean offered;
    private final boolean initial;

    /** The byte in bit 0, and above it the number of changes: one word, so that both are read together. */
    private volatile int state;

    public BypassByte(boolean offered, boolean initial) {
        this.offered = offered;
        this.initial = initial;
        this.state = initial ? ON : 0;
    }

    /** Without the feature there is no bypass: an endpoint that is attached to nothing reaches nothing. */
    boolean on() {
        return offered && (state & ON) != 0;
    }

    /** What the configuration shows: 0 or 1, whatever was written. */
    public int value() {
        return on() ? 1 : 0;
    }

    public void set(boolean value) {
        state = (state & -CHANGE) | (value ? ON : 0);
    }

    /** What a reset of the machine does, and no driver has written. */
    public void restore() {
        boolean changed = initial != ((state & ON) != 0);
        state = changed ? (state ^ ON) + CHANGE : state;
    }

    /** How often {@link #restore} has changed the byte that the driver sees. */
    public int version() {
        return state / CHANGE;
    }
}
