// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.result;

import java.util.Map;

/**
 * One thing that was measured, and what it took each.
 *
 * @param name     what one operation is
 * @param geometry how much of everything there is
 * @param unit     of the figures
 * @param figures  those there are; a column without one stays empty
 */
public record PeerRow(String name, String geometry, String unit, Map<PeerColumn, MedianAndRange> figures) {

    public static final String NANOS = "ns";
    public static final String BYTES = "B";

    /** How many times as much another took as our table; NaN if that is not known. */
    public double ratio(PeerColumn other) {
        return quotient(other, PeerColumn.VIRTIO4J);
    }

    /** How many dependent misses ours stands for; NaN if that is not known. */
    public double misses() {
        return quotient(PeerColumn.VIRTIO4J, PeerColumn.MISS);
    }

    private double quotient(PeerColumn dividend, PeerColumn divisor) {
        MedianAndRange above = figures.get(dividend);
        MedianAndRange below = figures.get(divisor);
        return above == null || below == null ? Double.NaN : above.median() / below.median();
    }
}
