// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * MAP and UNMAP through doorbell, ring, device and table, at a steady number of live mappings: what a MAP maps was
 * unmapped before it, untimed, and the other way round. The requests lie in the ring before the time begins; inside it
 * are the store of the available index, the doorbell, and all the device does until the doorbell returns.
 *
 * <p>64 requests are timed together, because reading the clock costs a tenth of one: either with a doorbell each, or
 * with one for all.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RequestBenchmark {

    private static final int BATCH = IommuGuest.BATCH;

    /** A guest with a full table. */
    @State(Scope.Benchmark)
    public static class Guest {

        @Param("MMIO")
        public TransportKind transport = TransportKind.MMIO;

        /** Live mappings, a power of two. */
        @Param("1024")
        public int mappings;

        IommuGuest iommu;
        private int[] order;
        private int next;

        @Setup(Level.Trial)
        public void fill() {
            iommu = new IommuGuest(transport, mappings);
            order = Shuffle.order(mappings);
            for (int index : order) {
                iommu.map(Pages.start(index), Pages.end(index), index * Pages.SIZE);
            }
        }

        @TearDown(Level.Trial)
        public void end() {
            long live = iommu.liveMappings();
            iommu.close();
            if (live != mappings && live != mappings - BATCH) {
                throw new IllegalStateException("live=" + live + " mappings=" + mappings);
            }
        }

        void advance() {
            next = (next + BATCH) & (mappings - 1);
        }

        void placeMaps() {
            for (int i = next; i < next + BATCH; i++) {
                iommu.placeMap(Pages.start(order[i]), Pages.end(order[i]), order[i] * Pages.SIZE);
            }
        }

        void placeUnmaps() {
            for (int i = next; i < next + BATCH; i++) {
                iommu.placeUnmap(Pages.start(order[i]), Pages.end(order[i]));
            }
        }
    }

    /** 64 MAP requests in the ring for what was just unmapped. */
    @State(Scope.Thread)
    public static class Maps {

        @Setup(Level.Invocation)
        public void place(Guest guest) {
            guest.iommu.check();
            guest.advance();
            guest.placeUnmaps();
            guest.iommu.flush();
            guest.placeMaps();
        }
    }

    /** 64 UNMAP requests in the ring, once the last 64 were mapped again. */
    @State(Scope.Thread)
    public static class Unmaps {

        private boolean unmapped;

        @Setup(Level.Invocation)
        public void place(Guest guest) {
            guest.iommu.check();
            if (unmapped) {
                guest.placeMaps();
                guest.iommu.flush();
            }
            guest.advance();
            guest.placeUnmaps();
            unmapped = true;
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void mapOne(Guest guest, Maps maps) {
        guest.iommu.serveEach();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void mapBatch(Guest guest, Maps maps) {
        guest.iommu.serveAll();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void unmapOne(Guest guest, Unmaps unmaps) {
        guest.iommu.serveEach();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void unmapBatch(Guest guest, Unmaps unmaps) {
        guest.iommu.serveAll();
    }
}
