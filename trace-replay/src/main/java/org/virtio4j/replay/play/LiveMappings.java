// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

/** How many mappings there are in all IOMMUs of a machine, and how many there were at most. */
final class LiveMappings {

    private long live;
    private long peak;

    void change(long by) {
        live += by;
        peak = Math.max(peak, live);
    }

    long peak() {
        return peak;
    }
}
