// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.virtio4j.benchmarks.fixture.IommuGuest;
import org.virtio4j.vmm.GuestMemory;

/** Maps and unmaps single pages, one request a doorbell, and times each MAP. */
final class SteadyGuest implements AutoCloseable {

    private static final int LIVE = 1_024;
    private static final int MOST_SAMPLES = 1 << 20;

    private final IommuGuest guest = IommuGuest.behindMmio(2 * LIVE);
    private final long[] nanos = new long[MOST_SAMPLES];
    private int pairs;

    /** With some pages mapped already. */
    SteadyGuest() {
        for (int page = 0; page < LIVE; page++) {
            map(page);
        }
    }

    /**
     * Works for as long as something holds, but does so many pairs in any case.
     *
     * @return the median time of a MAP, in nanoseconds; of the latest million
     */
    long medianWhile(BooleanSupplier holds, int least) {
        int count = 0;
        while (count < least || holds.getAsBoolean()) {
            int page = LIVE + pairs % LIVE;
            nanos[count % MOST_SAMPLES] = map(page);
            unmap(page);
            pairs++;
            count++;
        }
        int samples = Math.min(count, MOST_SAMPLES);
        Arrays.sort(nanos, 0, samples);
        return nanos[samples / 2];
    }

    private long map(int page) {
        long start = 2L * page * GuestMemory.PAGE_SIZE;
        guest.placeMap(start, start + GuestMemory.PAGE_SIZE - 1, start);
        long begin = System.nanoTime();
        guest.serveAll();
        long end = System.nanoTime();
        guest.check();
        return end - begin;
    }

    private void unmap(int page) {
        long start = 2L * page * GuestMemory.PAGE_SIZE;
        guest.placeUnmap(start, start + GuestMemory.PAGE_SIZE - 1);
        guest.flush();
    }

    @Override
    public void close() {
        guest.close();
    }
}
