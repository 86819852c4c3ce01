// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.result;

import java.util.List;

/**
 * What came of all rounds.
 *
 * @param median of all
 * @param least  the smallest
 * @param most   the largest
 */
public record MedianAndRange(double median, double least, double most) {

    /** There must be at least one sample. */
    public static MedianAndRange of(List<Double> samples) {
        List<Double> sorted = samples.stream().sorted().toList();
        return new MedianAndRange(sorted.get(sorted.size() / 2), sorted.getFirst(), sorted.getLast());
    }
}
