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
import org.virtio4j.benchmarks.fixture.OwnGuest;
import org.virtio4j.benchmarks.fixture.TransportKind;

/**
 * What an embedder's own device costs: an echo of 64 bytes through doorbell, ring and a handler of one chain, the
 * answer included. One chain at a time, or 64 with one doorbell; answered at once, or kept and completed in the other
 * order, each completion by a call of its own. As in {@link RequestBenchmark} 64 are timed together.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OwnDeviceBenchmark {

    private static final int BATCH = OwnGuest.BATCH;

    /** A guest with the device, behind PCI and no IOMMU. */
    @State(Scope.Benchmark)
    public static class Guest {

        @Param("false")
        public boolean later;

        OwnGuest own;

        @Setup(Level.Trial)
        public void open() {
            own = new OwnGuest(TransportKind.PCI, later);
        }

        @TearDown(Level.Trial)
        public void close() {
            own.close();
        }
    }

    /** 64 chains whose answers are still to come. */
    @State(Scope.Thread)
    public static class Echoes {

        @Setup(Level.Invocation)
        public void place(Guest guest) {
            guest.own.place();
        }

        @TearDown(Level.Invocation)
        public void check(Guest guest) {
            guest.own.check();
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void echoOne(Guest guest, Echoes echoes) {
        guest.own.serveEach();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public void echoBatch(Guest guest, Echoes echoes) {
        guest.own.serveAll();
    }
}
