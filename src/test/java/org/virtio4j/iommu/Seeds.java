// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.concurrent.ThreadLocalRandom;

/** Where random tests begin: anywhere, or where the system property {@code virtio4j.seed} says. */
final class Seeds {

    private Seeds() {
    }

    /** A seed, printed so that a failure can be played again. */
    static long next() {
        long seed = Long.getLong("virtio4j.seed", ThreadLocalRandom.current().nextLong());
        System.out.println("-Dvirtio4j.seed=" + seed);
        return seed;
    }
}
