// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

/**
 * The bypass byte of the configuration (virtio 1.4, section 5.13.4). Readers load it, the control lock guards changes.
 */
final class Bypass {

    private final boolean offered;
    private final boolean initial;
    private volatile boolean on;

    Bypass(boolean offered, boolean initial) {
        this.offered = offered;
        this.initial = initial;
        this.on = initial;
    }

    /** Without the feature there is no bypass: an endpoint that is attached to nothing reaches nothing. */
    boolean on() {
        return offered && on;
    }

    /** What the configuration shows: 0 or 1, whatever was written. */
    int value() {
        return on() ? 1 : 0;
    }

    void set(boolean value) {
        on = value;
    }

    void restore() {
        on = initial;
    }
}
