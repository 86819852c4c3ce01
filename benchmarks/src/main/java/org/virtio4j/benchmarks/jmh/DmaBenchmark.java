// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.jmh;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import org.virtio4j.benchmarks.fixture.SpaceKind;
import org.virtio4j.benchmarks.fixture.TransportKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.vmm.GuestMemory;

/**
 * One transfer between guest memory and a buffer of the device: enter a section, copy, leave it. The guest has a buffer
 * of at least 4 KiB for each transfer, mapped by one mapping as Linux maps a contiguous buffer, and the device visits
 * them in shuffled order. For the identity space the buffers are the same and lie at their guest-physical addresses.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DmaBenchmark {

    /** Guest memory full of buffers, and the device's own. */
    @State(Scope.Thread)
    public static class Buffers {

        private static final long FIRST_IOVA = 1L << 40;
        /** Moves to another cache line in each buffer; odd, so that it comes to all of them. */
        private static final int LINE_STEP = 37;
        private static final byte FILLING = 0x5a;

        @Param("IDENTITY")
        public SpaceKind space = SpaceKind.IDENTITY;

        /** Bytes of one transfer, a power of two. */
        @Param("4096")
        public int transfer;

        /** Bytes of guest memory in use. */
        @Param("1048576")
        public long workingSet;

        IommuGuest guest;
        DmaHandle dma;
        MemorySegment deviceBuffer;
        DmaResult last = DmaResult.OK;
        private int[] order;
        private long bufferSize;
        private long slots;
        private long first;
        private long stride;
        private int next;
        private int visits;
        private long address;

        @Setup(Level.Trial)
        public void fill() {
            bufferSize = Math.max(transfer, GuestMemory.PAGE_SIZE);
            slots = bufferSize / transfer;
            int count = Math.toIntExact(workingSet / bufferSize);
            order = Shuffle.order(count);
            guest = new IommuGuest(TransportKind.MMIO, count);
            guest.memory().addAnonymous(IommuGuest.DATA, count * bufferSize).segment().fill(FILLING);
            deviceBuffer = Arena.ofAuto().allocate(transfer, GuestMemory.PAGE_SIZE);
            open();
        }

        private void open() {
            boolean identity = space == SpaceKind.IDENTITY;
            first = identity ? IommuGuest.DATA : FIRST_IOVA;
            // Mappings do not touch, so that each is an extent of its own.
            stride = identity ? bufferSize : 2 * bufferSize;
            dma = (identity ? DmaSpace.identity(guest.memory()) : guest.endpointSpace()).open("benchmark");
            if (identity) {
                return;
            }
            for (int i = 0; i < order.length; i++) {
                long start = first + i * stride;
                guest.map(start, start + bufferSize - 1, IommuGuest.DATA + i * bufferSize);
            }
            guest.flush();
        }

        /** What was read or written last is the same on both sides now; before it was not. */
        @TearDown(Level.Iteration)
        public void check() {
            MemorySegment guestBytes = Arena.ofAuto().allocate(transfer);
            dma.enter();
            DmaResult again = dma.read(address, guestBytes, 0, transfer);
            dma.leave();
            if (last != DmaResult.OK || again != DmaResult.OK || guestBytes.mismatch(deviceBuffer) != -1) {
                throw new IllegalStateException("result=" + last + ": nothing was copied");
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            dma.close();
            guest.close();
        }

        long nextAddress() {
            next = next + 1 == order.length ? 0 : next + 1;
            visits += LINE_STEP;
            address = first + order[next] * stride + (visits & (slots - 1)) * transfer;
            return address;
        }
    }

    /** The device reads guest memory. */
    @Benchmark
    public void read(Buffers buffers) {
        buffers.dma.enter();
        buffers.last = buffers.dma.read(buffers.nextAddress(), buffers.deviceBuffer, 0, buffers.transfer);
        buffers.dma.leave();
    }

    /** The device writes guest memory. */
    @Benchmark
    public void write(Buffers buffers) {
        buffers.dma.enter();
        buffers.last = buffers.dma.write(buffers.nextAddress(), buffers.deviceBuffer, 0, buffers.transfer);
        buffers.dma.leave();
    }
}
