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
import org.virtio4j.benchmarks.fixture.DiskGuest;
import org.virtio4j.benchmarks.fixture.TransportKind;

/**
 * A disk's read of 4 KiB from the host's page cache, through doorbell, ring and device, the answer included. One read
 * at a time, or 64 with one doorbell, or with a poll in place of the doorbell; also a doorbell and a poll that find
 * nothing. As in {@link RequestBenchmark} 64 are timed together.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DiskBenchmark {

    private static final int BATCH = DiskGuest.BATCH;

    /** A guest with a disk, behind PCI and no IOMMU. */
    @State(Scope.Benchmark)
    public static class Guest {

        @Param("false")
        public boolean polled;

        DiskGuest disk;

        @Setup(Level.Trial)
        public void open() {
            disk = new DiskGuest(TransportKind.PCI, polled);
        }

        @TearDown(Level.Trial)
        public void close() {
            disk.close();
        }
    }

    /** 64 requests whose answers are still to come. */
    @State(Scope.Thread)
    public static class Reads {

        @Setup(Level.Invocation)
        public void place(Guest guest) {
            guest.disk.place();
        }

        @TearDown(Level.Invocation)
        public void check(Guest guest) {
            guest.disk.check();
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void readOne(Guest guest, Reads reads) {
        guest.disk.serveEach();
    }

    @Benchmark
    public void find(Guest guest) {
        guest.disk.look();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void readBatch(Guest guest, Reads reads) {
        guest.disk.serveAll();
    }
}
