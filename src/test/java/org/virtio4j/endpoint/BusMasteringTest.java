// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/**
 * PCI 6.2.2 and another operating system: it turns bus mastering off and on, owns all memory by then, and resets the
 * device only after that. All of RAM is compared, with the rings in it.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BusMasteringTest {

    private static final int RAM = 4 << 20;
    private static final long RINGS = 0x1_0000;
    private static final long DATA = 0x10_0000;
    private static final int STEP = 0x1000;
    private static final int ENDPOINT = 8;
    private static final int POISON = 0xa5;

    /** Every device, in each way it can be served. */
    enum Served {
        ENTROPY, ENTROPY_POLLED, DISK_BY_WORKERS, DISK_IN_KICKS, DISK_POLLED, IOMMU_REQUESTS, IOMMU_REQUESTS_POLLED,
        IOMMU_EVENTS
    }

    /** Random numbers that the test can hold up. */
    private final class Source extends SecureRandom {
        private static final long serialVersionUID = 1;

        @Override
        public void nextBytes(byte[] bytes) {
            holdHere();
            super.nextBytes(bytes);
        }
    }

    @TempDir
    @Nullable Path folder;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final GuestBytes ram = new GuestBytes(memory, null);
    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final AtomicBoolean holding = new AtomicBoolean();
    private final AtomicInteger seen = new AtomicInteger();
    private @Nullable VirtioBlock disk;
    private @Nullable DmaHandle endpoint;
    private @Nullable RawFunction raw;
    private Served served = Served.ENTROPY;
    private int faults;

    static List<Arguments> all() {
        List<Arguments> all = new ArrayList<>();
        for (Served each : Served.values()) {
            all.add(Arguments.of(each, false));
            all.add(Arguments.of(each, true));
        }
        return all;
    }

    @AfterEach
    void close() throws IOException {
        go.countDown();
        function().function.close();
        if (disk != null) {
            disk.close();
        }
        if (endpoint != null) {
            endpoint.close();
        }
        memory.close();
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("PCI 6.2.2: an idle device touches no byte when bus mastering is back, nor does its reset")
    void shouldTouchNothingWhenIdle(Served which, boolean eventIdx) {
        make(which);
        function().start(eventIdx);
        serveOne();
        function().busMastering(false);
        fill();
        doorbell();
        function().busMastering(true);
        lookAround();
        assertUntouched();
        assertServesAfterReset(eventIdx);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("PCI 6.2.2: what was at work when bus mastering went is dropped, and nothing taken up anew")
    void shouldTouchNothingWhenAtWork(Served which, boolean eventIdx) {
        make(which);
        function().start(eventIdx);
        serveOne();
        Thread kicker = holdWork();
        function().busMastering(false);
        fill();
        doorbell();
        function().busMastering(true);
        go.countDown();
        Parked.finish(kicker);
        lookAround();
        assertUntouched();
        assertServesAfterReset(eventIdx);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("PCI 6.2.2: a doorbell rung while bus mastering is off is dropped, the next one counts")
    void shouldDropDoorbells(Served which, boolean eventIdx) {
        make(which);
        function().start(eventIdx);
        serveOne();
        int before = ring().usedIndex();
        offer(1);
        function().busMastering(false);
        doorbell();
        function().busMastering(true);
        MemorySegment copy = copy();
        lookAround();
        assertEquals(-1, copy.mismatch(segment()), "something changed");
        doorbell();
        look();
        Parked.until(() -> ring().usedIndex() > before);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("PCI 6.2.2: DRIVER_OK counts as a doorbell: dropped while bus mastering is off")
    void shouldDropDriverOk(Served which, boolean eventIdx) {
        make(which);
        function().prepare(eventIdx);
        offer(0);
        function().busMastering(false);
        function().go();
        function().busMastering(true);
        MemorySegment copy = copy();
        lookAround();
        assertEquals(-1, copy.mismatch(segment()), "something changed");
        doorbell();
        look();
        Parked.until(() -> ring().usedIndex() == 1);
    }

    // The devices

    private void make(Served which) {
        served = which;
        VirtioDevice device = switch (which) {
            case ENTROPY -> new VirtioEntropy(new Source(), false);
            case ENTROPY_POLLED -> new VirtioEntropy(new Source(), true);
            case DISK_BY_WORKERS, DISK_IN_KICKS, DISK_POLLED -> makeDisk(which);
            case IOMMU_REQUESTS, IOMMU_REQUESTS_POLLED, IOMMU_EVENTS -> makeIommu(which);
        };
        raw = new RawFunction(device, DmaSpace.identity(memory), memory, RINGS, () -> { });
    }

    private VirtioBlock makeDisk(Served which) {
        Path path = Objects.requireNonNull(folder).resolve("disk.img");
        try {
            Files.write(path, BlockTests.random(1, 64 << 10));
            VirtioBlockBuilder builder = new VirtioBlockBuilder(readOnly -> {
                TestFile opened = new TestFile(path, readOnly);
                opened.hook = (operation, position) -> holdHere();
                return opened;
            }).queueSize(RawFunction.SIZE);
            disk = switch (which) {
                case DISK_IN_KICKS -> builder.servedInKicks().build();
                case DISK_POLLED -> builder.polled().build();
                default -> builder.build();
            };
            return disk;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private VirtioIommu makeIommu(Served which) {
        VirtioIommuBuilder builder = VirtioIommu.builder().endpoint(ENDPOINT).bootBypass(false).maxMappings(100)
                .queueSizes(RawFunction.SIZE, RawFunction.SIZE)
                .listener(WhenServed.does((type, status, removed) -> holdHere()));
        VirtioIommu iommu = which == Served.IOMMU_REQUESTS_POLLED ? builder.polled().build() : builder.build();
        endpoint = DmaSpace.of(memory, iommu.translator(ENDPOINT)).open("endpoint");
        return iommu;
    }

    /** Where each device calls the test while it is at work. */
    private void holdHere() {
        if (holding.get() && seen.incrementAndGet() == 1) {
            there.countDown();
            Parked.await(go);
        }
    }

    // The driver

    private RawFunction function() {
        return Objects.requireNonNull(raw);
    }

    private int queue() {
        return served == Served.IOMMU_EVENTS ? 1 : 0;
    }

    private DriverRing ring() {
        return function().ring(queue());
    }

    private void doorbell() {
        function().doorbell(queue());
    }

    /** Makes a request available whose chain begins at 3 n. */
    private void offer(int n) {
        long at = DATA + (long) n * STEP;
        switch (served) {
            case ENTROPY, ENTROPY_POLLED -> ring().chain(3 * n, Buffer.writable(at, 64));
            case IOMMU_EVENTS -> ring().chain(3 * n, Buffer.writable(at, 24));
            case IOMMU_REQUESTS, IOMMU_REQUESTS_POLLED -> {
                ram.fill(at, 20, 0);
                ram.putI32(at, 1);
                ram.putI32(at + 4, 1);
                ram.putI32(at + 8, ENDPOINT);
                ring().chain(3 * n, Buffer.readable(at, 20), Buffer.writable(at + 64, 4));
            }
            default -> {
                RawRequests.read(ring(), 3 * n, at, 0, 1024);
                return;
            }
        }
        ring().offer(3 * n);
    }

    private void serveOne() {
        int before = ring().usedIndex();
        offer(0);
        doorbell();
        look();
        Parked.until(() -> ring().usedIndex() == before + 1);
        ring().usedEvent(ring().usedIndex());
    }

    /** What makes a device look at its ring, but a driver: an embedder that polls, a fault to report. */
    private void look() {
        if (served == Served.DISK_POLLED) {
            int ignored = function().function.poll();
        } else if (served == Served.IOMMU_EVENTS) {
            DmaHandle handle = Objects.requireNonNull(endpoint);
            handle.enter();
            handle.translate((long) ++faults * STEP, Access.READ, (virtStart, virtEnd, physStart, permitted) -> { });
            handle.leave();
        }
    }

    /** Everything of the embedder's that could make a device look; and its own threads have looked. */
    private void lookAround() {
        function().function.memoryChanged();
        look();
        int given = function().function.poll();
        assertEquals(0, given, "found by polling");
        if (disk != null) {
            int ignored = disk.poll(0);
        }
        Parked.until(() -> Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("virtio4j disk queue"))
                .allMatch(thread -> thread.getState() != Thread.State.RUNNABLE));
    }

    /** Has the device hold some of four requests at work; faults without a buffer wait in any case. */
    private Thread holdWork() {
        Thread kicker = new Thread(() -> {
            doorbell();
            look();
        }, "kicker");
        if (served == Served.IOMMU_EVENTS) {
            look();
            look();
            offerMore();
            return kicker;
        }
        offerMore();
        holding.set(true);
        kicker.start();
        Parked.await(there);
        return kicker;
    }

    private void offerMore() {
        for (int n = 1; n < 5; n++) {
            offer(n);
        }
    }

    private void assertServesAfterReset(boolean eventIdx) {
        function().driver().writeStatus(0);
        assertEquals(0, function().driver().status());
        assertUntouched();
        function().start(eventIdx);
        serveOne();
        serveOne();
    }

    // Memory

    private MemorySegment segment() {
        return Objects.requireNonNull(memory.map().find(0)).segment();
    }

    private MemorySegment copy() {
        return Arena.ofAuto().allocate(RAM).copyFrom(segment());
    }

    private void fill() {
        segment().fill((byte) POISON);
    }

    private void assertUntouched() {
        long at = segment().mismatch(Arena.ofAuto().allocate(RAM).fill((byte) POISON));
        assertTrue(at == -1, () -> "a byte changed at 0x" + Long.toHexString(at));
    }
}
