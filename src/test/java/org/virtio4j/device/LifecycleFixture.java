// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.fixture.Parked;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.FeatureBit;

/** A small device with its life cycle, the transport's side recorded, and a driver that can do everything wrong. */
final class LifecycleFixture implements AutoCloseable {

    static final int BIT_OF_TYPE = 3;
    static final int SIZE_0 = 64;
    static final int SIZE_1 = 8;
    static final int CONFIG_SIZE = 12;
    static final int NO_DRIVER = 0;
    static final int FOUND = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER;
    static final int NEGOTIATED = FOUND | DeviceStatus.FEATURES_OK;
    static final int RUNNING = NEGOTIATED | DeviceStatus.DRIVER_OK;

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long RAM = 0x10_0000L;
    private static final int PAGES = 256;

    final GuestMemory memory = GuestMemory.anonymous(RAM, PAGES * PAGE);
    final @Nullable PageTable table;
    final GuestBytes ram;
    final Device device = new Device();
    final Signals signals = new Signals();
    final DeviceLifecycle lifecycle;

    private LifecycleFixture(@Nullable PageTable table) {
        this.table = table;
        this.ram = new GuestBytes(memory, table);
        DmaSpace space = table == null ? DmaSpace.identity(memory) : DmaSpace.of(memory, table);
        this.lifecycle = new DeviceLifecycle(device, space, signals);
    }

    static LifecycleFixture identity() {
        return new LifecycleFixture(null);
    }

    static LifecycleFixture behindTable() {
        return new LifecycleFixture(PageTable.shuffled(RAM, RAM, PAGES, new Random(1)));
    }

    @Override
    public void close() {
        signals.letGo();
        lifecycle.reset(ResetKind.SYSTEM);
        memory.close();
    }

    /** Goes as far as FEATURES_OK with VERSION_1, ACCESS_PLATFORM where it is offered, and the bits named. */
    void negotiate(int... bits) {
        lifecycle.writeStatus(DeviceStatus.ACKNOWLEDGE);
        lifecycle.writeStatus(FOUND);
        Features wanted = Features.of(bits).with(FeatureBit.VERSION_1);
        accept(table == null ? wanted : wanted.with(FeatureBit.ACCESS_PLATFORM));
        lifecycle.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, lifecycle.status());
    }

    /** Writes all four feature words. */
    void accept(Features features) {
        for (int word = 0; word < Features.WORDS; word++) {
            lifecycle.writeDriverFeatures(word, features.word(word));
        }
    }

    /** A fresh ring in pages of its own: set {@code place} to another number for another ring. */
    DriverRing ring(int place, int size) {
        long start = RAM + 16L * place * PAGE;
        ram.fill(start, 16 * PAGE, 0);
        return new DriverRing(ram, size, start, start + 2 * PAGE, start + 4 * PAGE);
    }

    /** A page for buffers that no ring of {@link #ring} lies in. */
    static long buffer(int index) {
        return RAM + (PAGES - 1 - index) * PAGE;
    }

    /** Names the ring to a queue and enables it. */
    void enable(int queue, DriverRing ring) {
        lifecycle.writeQueueSize(queue, ring.size());
        place(queue, ring);
        lifecycle.enableQueue(queue);
    }

    void place(int queue, DriverRing ring) {
        lifecycle.writeQueueAddress(queue, QueueArea.DESCRIPTOR, ring.descriptors());
        lifecycle.writeQueueAddress(queue, QueueArea.DRIVER, ring.available());
        lifecycle.writeQueueAddress(queue, QueueArea.DEVICE, ring.used());
    }

    /** Brings the device up with a ring of 8 entries on queue 0. */
    DriverRing run(int... bits) {
        negotiate(bits);
        DriverRing ring = ring(0, 8);
        enable(0, ring);
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING, lifecycle.status());
        return ring;
    }

    /** Makes a writable buffer of 8 bytes available at the head, without a kick. */
    static void offer(DriverRing ring, int head) {
        ring.descriptor(head, DriverRing.Buffer.writable(buffer(head), 8));
        ring.offer(head);
    }

    /** What a transport does; it only writes down what it was told. */
    static final class Signals implements TransportSignals {

        final List<String> heard = Collections.synchronizedList(new ArrayList<>());
        private final CountDownLatch inside = new CountDownLatch(1);
        private volatile @Nullable CountDownLatch go;

        @Override
        public void queueInterrupt(int queue) {
            passGate();
            heard.add("queue " + queue);
        }

        @Override
        public void configInterrupt() {
            passGate();
            heard.add("config");
        }

        /** From now on an interrupt is held on its way, until {@link #letGo}. */
        void hold() {
            go = new CountDownLatch(1);
        }

        void awaitHeld() {
            Parked.await(inside);
        }

        void letGo() {
            CountDownLatch gate = go;
            if (gate != null) {
                gate.countDown();
            }
        }

        private void passGate() {
            CountDownLatch gate = go;
            if (gate != null) {
                inside.countDown();
                Parked.await(gate);
            }
        }

        @Override
        public void deviceReset() {
            heard.add("reset");
        }

        List<String> take() {
            List<String> taken = List.copyOf(heard);
            heard.clear();
            return taken;
        }
    }

    /** Fills each writable buffer with 0xab and gives it back at once; what its owner asked for is written down. */
    static final class Device implements VirtioDevice {

        final List<String> calls = Collections.synchronizedList(new ArrayList<>());
        final byte[] config = new byte[CONFIG_SIZE];
        final Chain chain = new Chain();
        private final MemorySegment host = Arena.ofAuto().allocate(64).fill((byte) 0xab);
        final List<Features> negotiated = Collections.synchronizedList(new ArrayList<>());
        volatile @Nullable DeviceContext context;

        /** Runs in the next read of the configuration, before the bytes are taken. */
        volatile Runnable inConfigRead = () -> { };

        @Override
        public DeviceInfo info() {
            return new DeviceInfo(DeviceType.ENTROPY, List.of(SIZE_0, SIZE_1), CONFIG_SIZE);
        }

        @Override
        public Features offered() {
            return Features.of(BIT_OF_TYPE, 70);
        }

        @Override
        public void negotiated(Features features) {
            negotiated.add(features);
        }

        @Override
        public void activate(DeviceContext active) {
            calls.add("activate");
            context = active;
        }

        @Override
        public synchronized void kicked(int queue) {
            calls.add("kicked " + queue);
            DeviceContext active = context;
            DeviceQueue ring = active == null ? null : active.queue(queue);
            if (active == null || ring == null) {
                return;
            }
            ring.enter();
            // One round of the ring a kick, as a device should that does not want to serve one driver for ever.
            for (int left = ring.size(); left > 0 && ring.poll(chain); left--) {
                chain.write(0, host, 0, Math.min(64, chain.writableLength()));
                ring.complete(chain);
            }
            ring.leave();
            if (ring.publish()) {
                active.interrupt(queue);
            }
            if (ring.failure() != QueueFailure.NONE) {
                active.queueFailed(queue);
            }
        }

        @Override
        public void reset(ResetKind kind) {
            calls.add("reset " + kind);
            context = null;
        }

        @Override
        public long readConfig(int offset, int width) {
            inConfigRead.run();
            long value = 0;
            for (int i = width - 1; i >= 0; i--) {
                value = (value << Byte.SIZE) | (config[offset + i] & 0xff);
            }
            return value;
        }

        @Override
        public void writeConfig(int offset, int width, long value) {
            calls.add("write " + offset + " " + width);
            for (int i = 0; i < width; i++) {
                config[offset + i] = (byte) (value >>> (i * Byte.SIZE));
            }
        }

        DeviceContext active() {
            DeviceContext active = context;
            if (active == null) {
                throw new AssertionError("the device is not active");
            }
            return active;
        }

        List<String> take() {
            List<String> taken = List.copyOf(calls);
            calls.clear();
            return taken;
        }
    }
}
