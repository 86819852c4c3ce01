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
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;

/**
 * A translation that the handle remembers, in a section that is open already, and what stands in its place in the same
 * loop: a read of an array that has where each page leads. Each address depends on where the one before led.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CacheBenchmark {

    private static final int DATA_PAGES = 64;

    /** A device that has used each of its mappings. */
    @State(Scope.Thread)
    public static class Device implements ExtentSink {

        /** Mappings of a page, visited in shuffled order; a power of two. */
        @Param("64")
        public int extents;

        /** Whether the next address is known only when the one before is translated. */
        @Param("false")
        public boolean waits;

        IommuGuest guest;
        DmaHandle dma;
        long place;
        private int refused;
        private int[] order;
        private long[] places;
        private int next;

        @Setup(Level.Trial)
        public void map() {
            guest = new IommuGuest(TransportKind.MMIO, extents);
            guest.memory().addAnonymous(IommuGuest.DATA, DATA_PAGES * SinglePages.SIZE);
            order = Shuffle.order(extents);
            places = new long[extents];
            for (int index = 0; index < extents; index++) {
                places[index] = IommuGuest.DATA + (index & (DATA_PAGES - 1)) * SinglePages.SIZE;
                guest.map(SinglePages.start(index), SinglePages.end(index), places[index]);
            }
            guest.flush();
            dma = guest.endpointSpace().open("benchmark");
        }

        @Setup(Level.Iteration)
        public void enter() {
            dma.enter();
            for (int i = 0; i < extents; i++) {
                translate(nextIndex());
            }
        }

        @TearDown(Level.Iteration)
        public void leave() {
            dma.leave();
            if (refused != 0) {
                throw new IllegalStateException("refused=" + refused + ": this is not what is being measured");
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            dma.close();
            guest.close();
        }

        /** The next mapping in order; no place has its top bit set. */
        int nextIndex() {
            int step = waits ? 1 + (int) (place >>> (Long.SIZE - 1)) : 1;
            next = (next + step) & (extents - 1);
            return order[next];
        }

        void translate(int index) {
            if (dma.translate(SinglePages.start(index), Access.READ, this) != TranslateResult.OK) {
                refused++;
            }
        }

        void read(int index) {
            place = places[index];
        }

        @Override
        public void extent(long virtStart, long virtEnd, long physStart, int permitted) {
            place = physStart;
        }
    }

    /** What the loop costs, and a bounds-checked load. */
    @Benchmark
    public void arrayRead(Device device) {
        device.read(device.nextIndex());
    }

    /** The address lies in another mapping each time, of which the handle remembers all. */
    @Benchmark
    public void hit(Device device) {
        device.translate(device.nextIndex());
    }
}
