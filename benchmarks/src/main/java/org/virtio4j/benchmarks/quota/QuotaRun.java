// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Lets a guest fill its quota six times over while another maps and unmaps. */
final class QuotaRun implements AutoCloseable {

    /** The first fits, the others are refused. */
    private static final int QUOTAS = 6;

    private final int leastPairs;
    private final GreedyGuest greedy;
    private final SteadyGuest steady = new SteadyGuest();
    private final ExecutorService greedyThread = Executors.newSingleThreadExecutor();

    /**
     * Sets both guests up.
     *
     * @param limit      most mappings of the first
     * @param leastPairs how often at least the second maps and unmaps for one median
     */
    QuotaRun(int limit, int leastPairs) {
        this.leastPairs = leastPairs;
        this.greedy = new GreedyGuest(limit);
    }

    /** The memory of the process just now, after a collection. */
    MemorySample sample(String when) {
        return MemorySample.now(when, greedy, greedy.refused());
    }

    /** Fills, is refused, unmaps; the other guest is timed before and all the while. */
    QuotaRound round() throws InterruptedException, ExecutionException {
        List<MemorySample> memory = new ArrayList<>();
        long refusedBefore = greedy.refused();
        memory.add(MemorySample.now("at the start", greedy, refusedBefore));
        double alone = steady.medianWhile(() -> false, leastPairs);
        double besideFill = beside(() -> greedy.fill(0));
        double mapNanos = greedy.nanosPerRequest();
        memory.add(MemorySample.now("at the limit", greedy, refusedBefore));
        double refusalNanos = 0;
        double besideRefusals = 0;
        long allocated = Long.MAX_VALUE;
        for (int quota = 1; quota < QUOTAS; quota++) {
            int next = quota;
            besideRefusals += beside(() -> greedy.fill(next)) / (QUOTAS - 1);
            refusalNanos += greedy.nanosPerRequest() / (QUOTAS - 1);
            allocated = Math.min(allocated, greedy.allocated());
            memory.add(MemorySample.now("after " + (quota + 1) + " quotas", greedy, refusedBefore));
        }
        double besideUnmap = beside(greedy::unmapAll);
        memory.add(MemorySample.now("after UNMAP of everything", greedy, refusedBefore));
        return new QuotaRound(memory, alone, besideFill, besideRefusals, besideUnmap, mapNanos, refusalNanos,
                allocated);
    }

    private double beside(Runnable work) throws InterruptedException, ExecutionException {
        Future<?> done = greedyThread.submit(work);
        double median = steady.medianWhile(() -> !done.isDone(), 1);
        done.get();
        return median;
    }

    @Override
    public void close() {
        greedyThread.close();
        greedy.close();
        steady.close();
    }
}
