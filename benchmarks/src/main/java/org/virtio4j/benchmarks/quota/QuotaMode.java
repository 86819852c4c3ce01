// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import java.util.Locale;
import org.virtio4j.benchmarks.host.Quantity;

/** How large the quota is, and how often it is filled. */
public enum QuotaMode {
    /** Whether everything works; the figures are worth nothing. */
    QUICK(1 << 16, 0, 1, 1_000),
    NORMAL(1 << 20, 2, 9, 1_000_000);

    private final int limit;
    private final int warmUpRounds;
    private final int rounds;
    private final int leastPairs;

    QuotaMode(int limit, int warmUpRounds, int rounds, int leastPairs) {
        this.limit = limit;
        this.warmUpRounds = warmUpRounds;
        this.rounds = rounds;
        this.leastPairs = leastPairs;
    }

    /** Most mappings of the guest that fills. */
    int limit() {
        return limit;
    }

    int warmUpRounds() {
        return warmUpRounds;
    }

    int rounds() {
        return rounds;
    }

    /** How often the other guest maps and unmaps when it is alone. */
    int leastPairs() {
        return leastPairs;
    }

    String text() {
        return String.format(Locale.ROOT, "quota of %s mappings, filled six times over; rounds %d",
                Quantity.count(limit), rounds);
    }
}
