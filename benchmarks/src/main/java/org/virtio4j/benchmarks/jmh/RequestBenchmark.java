// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.jmh;

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
import org.virtio4j.benchmarks.fixture.IommuGuest;
import org.virtio4j.benchmarks.fixture.Shuffle;
import org.virtio4j.benchmarks.fixture.SinglePages;
import org.virtio4j.benchmarks.fixture.TransportKind;

/**
 * MAP and UNMAP through doorbell, ring, device and table, at a steady number of live mappings. What a MAP maps was
 * unmapped before it, untimed, and the other way round. Mixed requests unmap one mapping and map another in turn. The
 * requests lie in the ring before the time begins; inside it are the stores of the available index, the doorbells, and
 * all the device does until the doorbells return.
 *
 * <p>256 requests are timed together, because reading the clock costs a tenth of one: in batches of some size, each
 * with a doorbell of its own.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RequestBenchmark {

    private static final int TIMED = 256;

    /** A guest with a full table. */
    @State(Scope.Benchmark)
    public static class Guest {

        @Param("MMIO")
        public TransportKind transport = TransportKind.MMIO;

        /** Live mappings, a power of two. */
        @Param("1024")
        public int mappings;

        /** Requests a doorbell, a power of two, 256 at the most. */
        @Param("64")
        public int batch;

        /** Whether each request has an indirect table. */
        @Param("false")
        public boolean indirect;

        IommuGuest iommu;
        private int[] order;
        private int next;

        @Setup(Level.Trial)
        public void fill() {
            iommu = new IommuGuest(transport, mappings, TIMED, indirect);
            order = Shuffle.order(mappings);
            for (int index : order) {
                iommu.map(SinglePages.start(index), SinglePages.end(index), index * SinglePages.SIZE);
            }
        }

        @TearDown(Level.Trial)
        public void end() {
            long live = iommu.liveMappings();
            iommu.close();
            if (live != mappings && live != mappings - TIMED && live != mappings - TIMED / 2) {
                throw new IllegalStateException("live=" + live + " mappings=" + mappings);
            }
        }

        /** The mappings behind the ones before are the next ones. */
        void advance(int count) {
            next = (next + count) & (mappings - 1);
        }

        void placeMap(int behind) {
            int index = order[(next + behind) & (mappings - 1)];
            iommu.placeMap(SinglePages.start(index), SinglePages.end(index), index * SinglePages.SIZE);
        }

        void placeUnmap(int behind) {
            int index = order[(next + behind) & (mappings - 1)];
            iommu.placeUnmap(SinglePages.start(index), SinglePages.end(index));
        }

        void placeMaps() {
            for (int i = 0; i < TIMED; i++) {
                placeMap(i);
            }
        }

        void placeUnmaps() {
            for (int i = 0; i < TIMED; i++) {
                placeUnmap(i);
            }
        }
    }

    /** MAP requests in the ring for what was just unmapped. */
    @State(Scope.Thread)
    public static class Maps {

        @Setup(Level.Invocation)
        public void place(Guest guest) {
            guest.iommu.check();
            guest.advance(TIMED);
            guest.placeUnmaps();
            guest.iommu.flush();
            guest.placeMaps();
        }
    }

    /** UNMAP requests in the ring, once those unmapped last were mapped again. */
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
            guest.advance(TIMED);
            guest.placeUnmaps();
            unmapped = true;
        }
    }

    /** In turn an UNMAP of a mapping and a MAP of one that was unmapped the last time. */
    @State(Scope.Thread)
    public static class Mixed {

        private static final int HALF = TIMED / 2;

        @Setup(Level.Trial)
        public void unmapSome(Guest guest) {
            for (int i = 0; i < HALF; i++) {
                guest.placeUnmap(i);
            }
            guest.iommu.flush();
        }

        @Setup(Level.Invocation)
        public void place(Guest guest) {
            guest.iommu.check();
            for (int i = 0; i < HALF; i++) {
                guest.placeUnmap(HALF + i);
                guest.placeMap(i);
            }
            guest.advance(HALF);
        }
    }

    @Benchmark
    @OperationsPerInvocation(TIMED)
    public void map(Guest guest, Maps maps) {
        guest.iommu.serveInBatches(guest.batch);
    }

    @Benchmark
    @OperationsPerInvocation(TIMED)
    public void unmap(Guest guest, Unmaps unmaps) {
        guest.iommu.serveInBatches(guest.batch);
    }

    @Benchmark
    @OperationsPerInvocation(TIMED)
    public void mixed(Guest guest, Mixed mixed) {
        guest.iommu.serveInBatches(guest.batch);
    }
}
