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
import org.openjdk.jmh.infra.Blackhole;
import org.virtio4j.benchmarks.fixture.Shuffle;
import org.virtio4j.benchmarks.fixture.SinglePages;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.iommu.table.MappingTree;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.HostMemory;

/**
 * The mapping table alone, without device or ring. The table was filled in shuffled order and stays as full as it is:
 * a timed insertion puts back what was removed before it, a timed removal takes what is put back before the next. Both
 * come in batches of 64, so that the two readings of the clock that keep the other half out cost each less than 1 ns.
 * A grace period lies between the batches, untimed, as in the device, where one covers a batch of requests.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MappingTableBenchmark {

    static final int BATCH = 64;

    private static final int READ_WRITE = 3;

    /** A full table, and the next 64 of its mappings. */
    @State(Scope.Benchmark)
    public static class Table {

        /** Live mappings, a power of two. */
        @Param("1024")
        public int mappings;

        MappingTree tree;
        NodeSpace space;
        int[] order;
        int next;
        final LastExtent found = new LastExtent();

        @Setup(Level.Trial)
        public void fill() {
            space = new NodeSpace(HostMemory.collected(NodeSpace.bytesFor(mappings, 1)));
            tree = new MappingTree(space);
            order = Shuffle.order(mappings);
            for (int i = 0; i < order.length; i++) {
                insert(order[i]);
                if (i % BATCH == BATCH - 1) {
                    // What insertions have retired is memory that the table needs.
                    space.reclaim();
                }
            }
        }

        /** What the next batch consists of begins here in {@link #order}. */
        void advance() {
            next = (next + BATCH) & (mappings - 1);
        }

        void insert(int index) {
            require(tree.insert(SinglePages.start(index), SinglePages.end(index), index * SinglePages.SIZE, READ_WRITE)
                    == MappingTable.Insertion.INSERTED);
        }

        void insertBatch() {
            for (int i = next; i < next + BATCH; i++) {
                insert(order[i]);
            }
        }

        void removeBatch() {
            for (int i = next; i < next + BATCH; i++) {
                MappingTable.Removal result = tree.remove(SinglePages.start(order[i]), SinglePages.end(order[i]));
                require(result == MappingTable.Removal.REMOVED && tree.removed() == 1);
            }
        }

        private static void require(boolean done) {
            if (!done) {
                throw new IllegalStateException("the table refused what is being measured");
            }
        }
    }

    /** A table in which the next 64 mappings are missing. */
    @State(Scope.Thread)
    public static class Missing {

        @Setup(Level.Invocation)
        public void remove(Table table) {
            table.advance();
            table.removeBatch();
            table.space.reclaim();
        }
    }

    /** A table that has the last 64 mappings back. */
    @State(Scope.Thread)
    public static class Present {

        private boolean removed;

        @Setup(Level.Invocation)
        public void insert(Table table) {
            table.space.reclaim();
            if (removed) {
                table.insertBatch();
            }
            table.advance();
            removed = true;
        }
    }

    /** Where a lookup leaves what it found. */
    static final class LastExtent implements ExtentSink {

        private long physStart;

        @Override
        public void extent(long virtStart, long virtEnd, long physical, int permitted) {
            physStart = physical;
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void insert(Table table, Missing missing) {
        table.insertBatch();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void remove(Table table, Present present) {
        table.removeBatch();
    }

    /** Each lookup waits for the one before: the top bit of what that found, which is never set, is in its address. */
    @Benchmark
    public void lookup(Table table, Blackhole blackhole) {
        table.next = (table.next + 1 + (int) (table.found.physStart >>> 63)) & (table.mappings - 1);
        blackhole.consume(table.tree.find(SinglePages.start(table.order[table.next]), READ_WRITE, table.found));
    }
}
