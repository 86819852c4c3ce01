// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
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
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;

/**
 * From an I/O-virtual address to guest memory, by {@link DmaHandle#access} of 8 bytes that are not touched, in a
 * section that is open already; the handle remembers nothing from before that. Each address depends on the place that
 * the one before led to, so no two translations overlap in the processor.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TranslateBenchmark {

    private static final long LENGTH = 8;

    /** An endpoint whose mappings lead, in turn, to the pages of a small data region. */
    @State(Scope.Benchmark)
    public static class Endpoint {

        private static final int DATA_PAGES = 64;

        /** Live mappings, a power of two. */
        @Param("1024")
        public int mappings;

        IommuGuest guest;
        DmaHandle dma;
        int[] order;
        int next;
        long address;
        DmaResult last = DmaResult.OK;
        final DmaCursor cursor = new DmaCursor();

        @Setup(Level.Trial)
        public void map() {
            guest = new IommuGuest(TransportKind.MMIO, mappings);
            guest.memory().addAnonymous(IommuGuest.DATA, DATA_PAGES * SinglePages.SIZE);
            order = Shuffle.order(mappings);
            for (int index : order) {
                guest.map(SinglePages.start(index), SinglePages.end(index),
                        IommuGuest.DATA + (index & (DATA_PAGES - 1)) * SinglePages.SIZE);
            }
            dma = guest.uncachedSpace().open("benchmark");
            address = SinglePages.start(0);
        }

        @TearDown(Level.Trial)
        public void end() {
            dma.close();
            guest.close();
        }

        /** The next address in order, once it is known where the last one led. */
        long nextStart() {
            next = (next + 1 + (int) (place() >>> 63)) & (mappings - 1);
            return SinglePages.start(order[next]);
        }

        /** Where the last translation led: bytes into the data region. */
        private long place() {
            return cursor.next() ? cursor.offset() : 0;
        }
    }

    /** A section that is open for as long as it is measured. */
    @State(Scope.Thread)
    public static class Section {

        @Setup(Level.Iteration)
        public void enter(Endpoint endpoint) {
            endpoint.dma.enter();
        }

        @TearDown(Level.Iteration)
        public void leave(Endpoint endpoint) {
            endpoint.dma.leave();
            require(endpoint.last == DmaResult.OK, endpoint.last);
        }
    }

    /** Sees to it that faults were what was measured, and reached the driver. */
    @State(Scope.Thread)
    public static class Faults {

        private long reported;

        @TearDown(Level.Iteration)
        public void check(Endpoint endpoint) {
            long now = endpoint.guest.reportedFaults();
            require(endpoint.last == DmaResult.FAULT && now > reported, endpoint.last);
            reported = now;
        }
    }

    /** The address lies in the extent that the section used last. */
    @Benchmark
    public void cached(Endpoint endpoint, Section section) {
        endpoint.address = SinglePages.start(0) + ((endpoint.place() + LENGTH) & (SinglePages.SIZE - LENGTH));
        endpoint.last = endpoint.dma.access(endpoint.address, LENGTH, Access.READ, endpoint.cursor);
    }

    /** The address lies in another mapping each time. */
    @Benchmark
    public void table(Endpoint endpoint, Section section) {
        endpoint.last = endpoint.dma.access(endpoint.nextStart(), LENGTH, Access.READ, endpoint.cursor);
    }

    /**
     * The address is not mapped. As the report is written when the section ends, a section of its own is part of it,
     * and so is the one store by which the driver gives the buffer of the report back.
     */
    @Benchmark
    public void fault(Endpoint endpoint, Faults faults) {
        endpoint.next = (endpoint.next + 1) & (endpoint.mappings - 1);
        endpoint.dma.enter();
        endpoint.last = endpoint.dma.access(SinglePages.gap(endpoint.order[endpoint.next]), LENGTH, Access.READ,
                endpoint.cursor);
        endpoint.dma.leave();
        endpoint.guest.returnEvent();
    }

    private static void require(boolean expected, DmaResult result) {
        if (!expected) {
            throw new IllegalStateException("result=" + result + ": this is not what is being measured");
        }
    }
}
