// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.jmh;

import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.virtio4j.benchmarks.fixture.PlacedRing;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.hostile.RawRing;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.SplitDescriptor;

/**
 * Taking chains from a split ring of 256 entries in guest-physical memory and giving them back: in one section take a
 * batch, then complete it, leave the section, and publish. EVENT_IDX is negotiated. No buffer is touched.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RingBenchmark {

    static final int SMALL_BATCH = 16;
    static final int LARGE_BATCH = 128;

    private static final int RING = 256;
    private static final int CHAIN_LENGTH = 128;
    private static final long RAM = 1 << 20;
    private static final long BUFFER = 0x8_0000;
    private static final int BUFFER_LENGTH = 64;

    /** A queue, and slots for what is taken from it. */
    abstract static class Ring {

        private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
        private final GuestRam ram = new GuestRam(memory, 0, RAM);
        private final PlacedRing ring;
        private final DeviceQueue queue;
        private final Chain[] chains = Stream.generate(Chain::new).limit(LARGE_BATCH).toArray(Chain[]::new);

        Ring(int[] heads) {
            ring = new PlacedRing(memory, ram, RING, heads);
            ring.memory().clear();
            ring.fillAvailable();
            queue = new SplitQueue(new QueueSettings(RING, ring.memory().descriptorTable().address(),
                    ring.memory().availableRing().address(), ring.memory().usedRing().address(), true, true, false),
                    DmaSpace.identity(memory).open("benchmark"));
        }

        RawRing raw() {
            return ring.raw();
        }

        GuestRam ram() {
            return ram;
        }

        boolean passBatch(int count) {
            ring.makeAvailable(count);
            queue.enter();
            int taken = 0;
            while (taken < count && queue.poll(chains[taken])) {
                taken++;
            }
            for (int i = 0; i < taken; i++) {
                queue.complete(chains[i]);
            }
            queue.leave();
            return queue.publish();
        }

        @TearDown(Level.Iteration)
        public void check() {
            ring.checkAllUsed();
            if (queue.failure() != QueueFailure.NONE) {
                throw new IllegalStateException("failure=" + queue.failure());
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            queue.close();
            memory.close();
        }
    }

    /** Chains of one descriptor. */
    @State(Scope.Thread)
    public static class Single extends Ring {

        public Single() {
            super(IntStream.range(0, RING).toArray());
        }

        @Setup(Level.Trial)
        public void write() {
            for (int i = 0; i < RING; i++) {
                raw().putDescriptor(i, BUFFER, BUFFER_LENGTH, 0, 0);
            }
        }
    }

    /** Two chains of 128 descriptors, which take turns. */
    @State(Scope.Thread)
    public static class LongChain extends Ring {

        public LongChain() {
            super(new int[] {0, CHAIN_LENGTH});
        }

        @Setup(Level.Trial)
        public void write() {
            for (int i = 0; i < RING; i++) {
                boolean last = i % CHAIN_LENGTH == CHAIN_LENGTH - 1;
                raw().putDescriptor(i, BUFFER, BUFFER_LENGTH, last ? 0 : SplitDescriptor.FLAG_NEXT,
                        last ? 0 : i + 1);
            }
        }
    }

    /** The same 128 descriptors, in a table of their own. */
    @State(Scope.Thread)
    public static class Indirect extends Ring {

        public Indirect() {
            super(new int[] {0});
        }

        @Setup(Level.Trial)
        public void write() {
            long size = CHAIN_LENGTH * SplitDescriptor.SIZE;
            GuestBuffer table = ram().buffer(size, GuestMemory.PAGE_SIZE);
            raw().putDescriptor(0, table.address(), size, SplitDescriptor.FLAG_INDIRECT, 0);
            for (int i = 0; i < CHAIN_LENGTH; i++) {
                boolean last = i == CHAIN_LENGTH - 1;
                RawRing.putDescriptor(table, i, BUFFER, BUFFER_LENGTH, last ? 0 : SplitDescriptor.FLAG_NEXT,
                        last ? 0 : i + 1);
            }
        }
    }

    @Benchmark
    @OperationsPerInvocation(SMALL_BATCH)
    public boolean small(Single ring) {
        return ring.passBatch(SMALL_BATCH);
    }

    @Benchmark
    @OperationsPerInvocation(LARGE_BATCH)
    public boolean large(Single ring) {
        return ring.passBatch(LARGE_BATCH);
    }

    @Benchmark
    public boolean longChain(LongChain ring) {
        return ring.passBatch(1);
    }

    @Benchmark
    public boolean indirect(Indirect ring) {
        return ring.passBatch(1);
    }
}
