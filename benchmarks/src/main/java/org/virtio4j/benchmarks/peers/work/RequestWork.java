// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import java.util.Arrays;
import org.virtio4j.benchmarks.fixture.IommuGuest;
import org.virtio4j.benchmarks.peers.input.Keys;

/** What {@code map_loop.c} does, with our ring, device and table: batches of MAP, then of UNMAP, for all mappings. */
final class RequestWork {

    private static final double NANOS = 1e9;
    private static final int MOST_ROUNDS = 1 << 16;

    private final Keys keys;
    private final IommuGuest guest;
    private final long[] samples = new long[MOST_ROUNDS];

    RequestWork(Keys keys) {
        this.keys = keys;
        this.guest = IommuGuest.behindMmio(keys.count());
    }

    /** Answers a command, as {@code map_loop.c} does. */
    String answer(String command, double seconds) {
        return switch (command) {
            case "check" -> Long.toString(check());
            case "map" -> PeerWorker.nanos(measure(true, seconds));
            case "unmap" -> PeerWorker.nanos(measure(false, seconds));
            default -> throw new IllegalArgumentException("command=" + command + ": expected check, map or unmap");
        };
    }

    /** What must be so before times mean anything; gives the number of mappings that were made and removed again. */
    private long check() {
        pass(true);
        require(guest.liveMappings() == keys.count());
        pass(false);
        require(guest.liveMappings() == 0);
        return keys.count();
    }

    /**
     * Rounds of both kinds of requests for some seconds; gives nanoseconds a request of one, those of the median round:
     * one in which somebody else had the processor says nothing. A fifth of the time first, so that what others have
     * driven out of the caches is back.
     */
    private double measure(boolean map, double seconds) {
        long begun = System.nanoTime();
        long took = 0;
        int rounds = 0;
        while (rounds == 0 || (took < seconds * NANOS && rounds < samples.length)) {
            long maps = pass(true);
            long unmaps = pass(false);
            took = System.nanoTime() - begun;
            if (took >= seconds * NANOS / 5) {
                samples[rounds] = map ? maps : unmaps;
                rounds++;
            }
        }
        Arrays.sort(samples, 0, rounds);
        return (double) samples[rounds / 2] / keys.count();
    }

    /** Requests of one kind for all keys; gives nanoseconds. */
    private long pass(boolean map) {
        long nanos = 0;
        for (int from = 0; from < keys.count(); from += IommuGuest.BATCH) {
            place(map, from, Math.min(keys.count(), from + IommuGuest.BATCH));
            long before = System.nanoTime();
            guest.serveAll();
            nanos += System.nanoTime() - before;
            guest.check();
        }
        return nanos;
    }

    private void place(boolean map, int from, int to) {
        for (int i = from; i < to; i++) {
            if (map) {
                guest.placeMap(keys.first()[i], keys.last()[i], keys.physical()[i]);
            } else {
                guest.placeUnmap(keys.first()[i], keys.last()[i]);
            }
        }
    }

    private static void require(boolean done) {
        if (!done) {
            throw new IllegalStateException("the device has miscounted its mappings");
        }
    }
}
