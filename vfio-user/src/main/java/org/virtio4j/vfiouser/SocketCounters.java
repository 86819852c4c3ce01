// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What happened at a socket. Any thread. */
final class SocketCounters {

    private final AtomicLong clients = new AtomicLong();
    private final AtomicLong refusals = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    void connected() {
        clients.incrementAndGet();
    }

    void refused() {
        refusals.incrementAndGet();
    }

    /** Keeps the first; those that follow are often its consequences. */
    void failed(Throwable mistake) {
        failure.compareAndSet(null, mistake);
    }

    long clients() {
        return clients.get();
    }

    long refusals() {
        return refusals.get();
    }

    Optional<Throwable> failure() {
        return Optional.ofNullable(failure.get());
    }
}
