// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;

/** Device trees of any shape, with names of any length and values of any bytes. */
final class RandomTree {

    private static final String FIRST = "abcdefghijklmnopqrstuvwxyz#";
    private static final String MORE = "abcdefghijklmnopqrstuvwxyz0123456789,._+-@";

    private final RandomGenerator random;

    RandomTree(RandomGenerator random) {
        this.random = random;
    }

    /** A seed, printed so that a failure can be played again. */
    static long seed() {
        long seed = Long.getLong("virtio4j.seed", ThreadLocalRandom.current().nextLong());
        System.out.println("-Dvirtio4j.seed=" + seed);
        return seed;
    }

    DeviceTree next() {
        TreeNode root = new TreeNode("");
        fill(root, 1 + random.nextInt(5));
        List<MemoryReservation> reservations = new ArrayList<>();
        for (int count = random.nextInt(4); count > 0; count--) {
            reservations.add(new MemoryReservation(random.nextLong(), 1 + random.nextInt(1 << 20)));
        }
        return new DeviceTree(root, reservations, random.nextInt());
    }

    private void fill(TreeNode node, int depth) {
        for (int count = random.nextInt(5); count > 0; count--) {
            byte[] value = new byte[random.nextInt(random.nextInt(10) == 0 ? 300 : 12)];
            random.nextBytes(value);
            node.put(name(), value);
        }
        for (int count = depth == 0 ? 0 : random.nextInt(4); count > 0; count--) {
            String name = name();
            if (node.child(name).isEmpty()) {
                TreeNode child = new TreeNode(name);
                fill(child, depth - 1);
                node.add(child);
            }
        }
    }

    private String name() {
        StringBuilder name = new StringBuilder().append(FIRST.charAt(random.nextInt(FIRST.length())));
        for (int count = random.nextInt(random.nextInt(20) == 0 ? 254 : 9); count > 0; count--) {
            name.append(MORE.charAt(random.nextInt(MORE.length())));
        }
        return name.toString();
    }
}
