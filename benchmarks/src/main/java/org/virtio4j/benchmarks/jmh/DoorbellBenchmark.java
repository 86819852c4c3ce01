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
import org.openjdk.jmh.infra.Blackhole;
import org.virtio4j.benchmarks.fixture.Doorbell;
import org.virtio4j.benchmarks.fixture.IdleDevice;
import org.virtio4j.benchmarks.fixture.TransportKind;
import org.virtio4j.benchmarks.fixture.TransportKind.Attached;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/**
 * The way from a register access to the device, alone: what a transport and the life cycle do to find out that a write
 * is the doorbell of a queue that is enabled. The device does nothing when it is kicked; for comparison it is called
 * without a transport.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DoorbellBenchmark {

    /** A live device that a driver has set up. */
    @State(Scope.Thread)
    public static class Attachment {

        private static final long RAM = 1 << 20;

        @Param("MMIO")
        public TransportKind transport = TransportKind.MMIO;

        GuestMemory memory;
        Doorbell doorbell;

        @Setup(Level.Trial)
        public void attach(Blackhole blackhole) {
            memory = GuestMemory.anonymous(0, RAM);
            Attached attached = transport.attach(new IdleDevice(blackhole), memory);
            doorbell = attached.doorbell();
            VirtioDriver driver = new VirtioDriver(attached.driver(), FeatureSet.of(FeatureBit.VERSION_1));
            require(driver.begin());
            GuestRam ram = new GuestRam(memory, 0, RAM);
            require(driver.enable(driver.queue(0, QueueMemory.pageAligned(ram, IdleDevice.RING))));
            require(driver.driverOk());
        }

        @TearDown(Level.Trial)
        public void detach() {
            memory.close();
        }

        private static void require(StartResult result) {
            if (result != StartResult.OK) {
                throw new IllegalStateException("start=" + result + ": the device cannot be driven");
            }
        }
    }

    /** A device without a transport. */
    @State(Scope.Thread)
    public static class Direct {

        IdleDevice device;

        @Setup(Level.Trial)
        public void make(Blackhole blackhole) {
            device = new IdleDevice(blackhole);
        }
    }

    @Benchmark
    public void decode(Attachment attachment) {
        attachment.doorbell.write();
    }

    @Benchmark
    public void direct(Direct direct) {
        direct.device.kicked(0);
    }
}
