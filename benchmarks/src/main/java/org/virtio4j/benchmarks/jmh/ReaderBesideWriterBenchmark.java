// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.jmh;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
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
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;

/**
 * A device that translates while, on another thread, a guest unmaps and maps at full speed: in the table that the
 * device reads, or in that of an IOMMU of its own with as many mappings. How much slower the first is than the second
 * is what the two cost each other over and above the caches and the memory that any two threads share.
 *
 * <p>The device translates 16 addresses a section. The writer leaves their mappings alone and changes those between
 * them, 64 UNMAP and then 64 MAP requests a doorbell, so that no translation fails and leaves are shared all the same.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ReaderBesideWriterBenchmark {

    private static final int SECTION = 16;
    private static final long LENGTH = 8;

    /** Whose table the writer changes. */
    public enum Writer {
        /** That of another IOMMU. */
        OTHER,
        /** The reader's own. */
        SAME
    }

    /** Two guests, one of which has a device that reads. */
    @State(Scope.Benchmark)
    public static class Tables {

        /** Live mappings of each, a power of two. */
        @Param("65536")
        public int mappings;

        @Param("OTHER")
        public Writer writer = Writer.OTHER;

        DmaHandle dma;
        final DmaCursor cursor = new DmaCursor();
        DmaResult last = DmaResult.OK;
        private IommuGuest read;
        private IommuGuest other;
        private int[] order;
        private int next;
        private volatile boolean ended;
        private final AtomicLong written = new AtomicLong();
        private Thread thread;

        @Setup(Level.Trial)
        public void begin() {
            order = Shuffle.order(mappings);
            read = filled();
            other = filled();
            dma = read.endpointSpace().open("benchmark");
            IommuGuest changed = writer == Writer.SAME ? read : other;
            thread = Thread.ofPlatform().name("writer").start(() -> write(changed));
        }

        private IommuGuest filled() {
            IommuGuest guest = new IommuGuest(TransportKind.MMIO, mappings);
            guest.memory().addAnonymous(IommuGuest.DATA, SinglePages.SIZE);
            for (int index : order) {
                guest.map(SinglePages.start(index), SinglePages.end(index), IommuGuest.DATA);
            }
            guest.flush();
            return guest;
        }

        private void write(IommuGuest guest) {
            int at = 0;
            while (!ended) {
                int end = at;
                for (int count = 0; count < IommuGuest.BATCH; end = (end + 1) & (mappings - 1)) {
                    if (isWriters(order[end])) {
                        guest.placeUnmap(SinglePages.start(order[end]), SinglePages.end(order[end]));
                        count++;
                    }
                }
                guest.flush();
                for (; at != end; at = (at + 1) & (mappings - 1)) {
                    if (isWriters(order[at])) {
                        guest.placeMap(SinglePages.start(order[at]), SinglePages.end(order[at]), IommuGuest.DATA);
                    }
                }
                guest.flush();
                written.incrementAndGet();
            }
        }

        private static boolean isWriters(int index) {
            return (index & 1) != 0;
        }

        /** The next address of the reader's, which depends on the place that the one before led to. */
        long nextStart() {
            do {
                next = (next + 1 + (int) (place() >>> 63)) & (mappings - 1);
            } while (isWriters(order[next]));
            return SinglePages.start(order[next]);
        }

        private long place() {
            return cursor.next() ? cursor.offset() : 0;
        }

        @TearDown(Level.Iteration)
        public void check() {
            if (last != DmaResult.OK || written.get() == 0) {
                throw new IllegalStateException("result=" + last + " written=" + written
                        + ": this is not what is being measured");
            }
        }

        @TearDown(Level.Trial)
        public void end() throws InterruptedException {
            ended = true;
            thread.join();
            dma.close();
            read.close();
            other.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(SECTION)
    public void translate(Tables tables) {
        tables.dma.enter();
        for (int i = 0; i < SECTION; i++) {
            tables.last = tables.dma.access(tables.nextStart(), LENGTH, Access.READ, tables.cursor);
        }
        tables.dma.leave();
    }
}
