// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

/**
 * Whether endpoints that are attached to nothing bypass the IOMMU: the bypass byte of the configuration (virtio 1.4,
 * section 5.13.4), and how often the device itself has changed it. Readers load both, the control lock guards changes.
 *
 * <p>A device whose configuration has no such byte has a fixed value: off, or the value at boot where the
 * configuration describes a topology instead. Nobody calls {@link #set} then.
 */
public final class BypassByte {

    private static final int ON = 1;
    private static final int CHANGE = 2;

    private final boolean initial;

    /** The byte in bit 0, and above it the number of changes: one word, so that both are read together. */
    private volatile int state;

    /**
     * Starts with the value at boot.
     *
     * @param initial the value at boot and after a reset of the machine
     */
    public BypassByte(boolean initial) {
        this.initial = initial;
        this.state = initial ? ON : 0;
    }

    /** If not, an endpoint that is attached to nothing reaches nothing. */
    boolean on() {
        return (state & ON) != 0;
    }

    /**
     * What the configuration shows. Any thread; takes no lock.
     *
     * @return 0 or 1, whatever was written
     */
    public int value() {
        return on() ? 1 : 0;
    }

    /**
     * Takes over what the driver has written. Under the control lock; {@link Domains#changedBypass} must follow.
     *
     * @param value whether unattached endpoints bypass the IOMMU
     */
    public void set(boolean value) {
        state = (state & -CHANGE) | (value ? ON : 0);
    }

    /**
     * Goes back to the value at boot, for a reset of the machine. Under the control lock. If the value changes, {@link
     * #version} grows.
     */
    public void restore() {
        boolean changed = initial != ((state & ON) != 0);
        state = changed ? (state ^ ON) + CHANGE : state;
    }

    /**
     * How often {@link #restore} has changed the byte. Any thread; takes no lock.
     *
     * @return a count that only grows
     */
    public int version() {
        return state / CHANGE;
    }
}
