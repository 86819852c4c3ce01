// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import java.util.Random;

/** Random numbers that a failed run can be repeated with. */
public final class Seed {

    private Seed() {
    }

    public static Random random() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("virtio4j.seed=" + seed);
        return new Random(seed);
    }
}
