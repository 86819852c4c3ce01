// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/**
 * What is too expensive to be made for each of a million races. A race takes one, makes it what it needs, and gives it
 * back when both actors are done with it; between races jcstress has barriers.
 */
final class Pool<T> {

    private final ConcurrentLinkedQueue<T> free = new ConcurrentLinkedQueue<>();
    private final Supplier<T> maker;

    Pool(Supplier<T> maker) {
        this.maker = maker;
    }

    T take() {
        T taken = free.poll();
        return taken == null ? maker.get() : taken;
    }

    void give(T back) {
        free.add(back);
    }
}
