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
import org.virtio4j.benchmarks.fixture.SpaceKind;
import org.virtio4j.benchmarks.fixture.TransportKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;

/** Entering and leaving a section in which nothing is done; most of it is the fence of entering. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class SectionBenchmark {

    /** A handle, with the one domain of its endpoint empty. */
    @State(Scope.Thread)
    public static class Handle {

        @Param("IDENTITY")
        public SpaceKind space = SpaceKind.IDENTITY;

        IommuGuest guest;
        DmaHandle dma;

        @Setup(Level.Trial)
        public void open() {
            guest = new IommuGuest(TransportKind.MMIO, 1);
            boolean identity = space == SpaceKind.IDENTITY;
            dma = (identity ? DmaSpace.identity(guest.memory()) : guest.endpointSpace()).open("benchmark");
        }

        @TearDown(Level.Trial)
        public void close() {
            dma.close();
            guest.close();
        }
    }

    @Benchmark
    public void enterLeave(Handle handle) {
        handle.dma.enter();
        handle.dma.leave();
    }
}
