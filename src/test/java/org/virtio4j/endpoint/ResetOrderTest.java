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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.Parked;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.vmm.GuestMemory;

/**
 * Section 5.13.6.1 and resets that come in any order, function by function: an IOMMU, a disk and a source of entropy
 * behind it. What the devices see lies {@link #SHIFT} further on than where it is, so what went past the IOMMU with a
 * translated address would land elsewhere in RAM, all of which is compared.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ResetOrderTest {

    private static final int RAM = 8 << 20;
    private static final long SHIFT = 4 << 20;
    private static final long IOMMU_RINGS = 0x1_0000;
    private static final long DISK_RINGS = 0x3_0000;
    private static final long ENTROPY_RINGS = 0x5_0000;
    private static final long DATA = 0x10_0000;
    private static final long STEP = 0x4_0000;
    private static final int DISK = 8;
    private static final int ENTROPY = 9;
    private static final int DOMAIN = 1;
    private static final int SECTOR = 512;
    private static final int LENGTH = 0x3_0000;
    private static final int POISON = 0xa5;

    /** The three functions. */
    enum Part { IOMMU, DISK, ENTROPY }

    /** What brings a disk back, apart from a machine's reset line. */
    enum Return { STATUS, FUNCTION_LEVEL_RESET, RESET_MESSAGE }

    @TempDir
    @Nullable Path folder;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final GuestBytes ram = new GuestBytes(memory, null);
    private final VirtioIommu iommu = VirtioIommu.builder().endpoint(DISK).endpoint(ENTROPY).bootBypass(true)
            .maxMappings(100).queueSizes(RawFunction.SIZE, RawFunction.SIZE).build();
    private final RawFunction iommuFunction =
            new RawFunction(iommu, DmaSpace.identity(memory), memory, IOMMU_RINGS, () -> { });
    private final RawFunction entropyFunction = new RawFunction(new VirtioEntropy(),
            DmaSpace.of(memory, iommu.translator(ENTROPY)), memory, ENTROPY_RINGS, () -> { });
    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final AtomicBoolean holding = new AtomicBoolean();
    private @Nullable VirtioBlock disk;
    private @Nullable RawFunction diskFunction;

    static List<Arguments> orders() {
        List<Arguments> orders = new ArrayList<>();
        for (Part a : Part.values()) {
            for (Part b : Part.values()) {
                for (Part c : Part.values()) {
                    if (a != b && b != c && a != c) {
                        orders.add(Arguments.of(List.of(a, b, c)));
                        orders.add(Arguments.of(List.of(a, a, b, b, c, c)));
                        orders.add(Arguments.of(List.of(a, b, c, a, b, c)));
                    }
                }
            }
        }
        return orders;
    }

    @AfterEach
    void close() throws IOException {
        go.countDown();
        disk().function.close();
        entropyFunction.function.close();
        iommuFunction.function.close();
        if (disk != null) {
            disk.close();
        }
        iommu.close();
        memory.close();
    }

    @ParameterizedTest
    @MethodSource("orders")
    @DisplayName("2.4: functions are reset in any order, once or twice, and no byte of the disk's load lands after")
    void shouldNeedNoOrder(List<Part> order) {
        makeDisk();
        bootBehindIommu();
        load();
        boolean poisoned = false;
        for (Part part : order) {
            boolean ignored = function(part).function.reset(ResetKind.SYSTEM);
            if (part != Part.ENTROPY && !poisoned) {
                poisoned = true;
                fill();
                go.countDown();
            }
        }
        Parked.until(() -> !isAtWork());
        assertUntouched();
        for (Part part : Part.values()) {
            function(part).find();
            Parked.until(() -> function(part).driver().status() == 0);
        }
        assertUntouched();
        // Firmware, which knows of no IOMMU, and then an operating system that does.
        startEndpoints(0);
        bootBehindIommu();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.1: after the IOMMU's reset a disk at work is blocked, and after its own the bypass decides")
    void shouldFreeADiskByItsOwnReset(Return how) {
        makeDisk();
        bootBehindIommu();
        load();
        DriverTransport driver = iommuFunction.driver();
        driver.writeStatus(0);
        assertEquals(0, driver.status());
        fill();
        disk().doorbell(0);
        go.countDown();
        Parked.until(() -> disk().driver().status() == (15 | 64));
        assertUntouched();
        switch (how) {
            case STATUS -> disk().driver().writeStatus(0);
            case FUNCTION_LEVEL_RESET -> disk().function.reset(ResetKind.FUNCTION);
            case RESET_MESSAGE -> disk().function.reset(ResetKind.SYSTEM);
        }
        if (how != Return.STATUS) {
            disk().find();
        }
        assertUntouched();
        assertEquals(1, driver.readConfig(36, 1), "bypass");
        disk().prepare(true, 0);
        disk().go();
        readDisk(0);
        // The other one, which was not reset, is blocked still.
        entropyFunction.doorbell(0);
        assertEquals(15 | 64, entropyFunction.driver().status());
        entropyFunction.prepare(true, 0);
        entropyFunction.go();
        drawEntropy(0);
    }

    @Test
    @DisplayName("5.13.6.1: an endpoint whose device is not at work when the IOMMU is reset is free at once")
    void shouldNotBlockWhatIsNotAtWork() {
        makeDisk();
        bootBehindIommu();
        disk().driver().writeStatus(0);
        iommuFunction.driver().writeStatus(0);
        disk().prepare(true, 0);
        disk().go();
        readDisk(0);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("The reset of one function leaves the others alone")
    void shouldLeaveOthersAlone(Part part) {
        makeDisk();
        bootBehindIommu();
        function(part).function.reset(ResetKind.SYSTEM);
        if (part != Part.IOMMU) {
            iommuRequest(3, SHIFT + RAM, SHIFT + RAM + 0xfff);
        }
        if (part == Part.DISK) {
            drawEntropy(SHIFT);
        }
        if (part == Part.ENTROPY) {
            readDisk(SHIFT);
        }
        for (Part other : Part.values()) {
            assertEquals(other == part ? 0 : 15, statusOf(other), other.toString());
        }
    }

    private int statusOf(Part part) {
        function(part).find();
        return function(part).driver().status();
    }

    // The machine

    private void makeDisk() {
        Path path = Objects.requireNonNull(folder).resolve("disk.img");
        try {
            Files.write(path, BlockTests.random(1, 1 << 20));
            VirtioBlock made = new VirtioBlockBuilder(readOnly -> {
                TestFile opened = new TestFile(path, readOnly);
                opened.hook = (operation, position) -> holdHere();
                return opened;
            }).queueSize(RawFunction.SIZE).build();
            disk = made;
            diskFunction = new RawFunction(made, DmaSpace.of(memory, iommu.translator(DISK)), memory, DISK_RINGS,
                    () -> { });
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void holdHere() {
        if (holding.getAndSet(false)) {
            there.countDown();
            Parked.await(go);
        }
    }

    private RawFunction disk() {
        return Objects.requireNonNull(diskFunction);
    }

    private RawFunction function(Part part) {
        return switch (part) {
            case IOMMU -> iommuFunction;
            case DISK -> disk();
            case ENTROPY -> entropyFunction;
        };
    }

    private static boolean isAtWork() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.isAlive() && thread.getName().startsWith("virtio4j disk queue"));
    }

    // The guest

    private void bootBehindIommu() {
        iommuFunction.start(true);
        iommuRequest(1, DISK, 0);
        iommuRequest(1, ENTROPY, 0);
        iommuRequest(3, SHIFT, SHIFT + RAM - 1);
        startEndpoints(SHIFT);
    }

    private void startEndpoints(long shift) {
        disk().prepare(true, shift);
        disk().go();
        entropyFunction.prepare(true, shift);
        entropyFunction.go();
        readDisk(shift);
        drawEntropy(shift);
    }

    /** ATTACH of an endpoint, or MAP of a range to RAM from 0 on. */
    private void iommuRequest(int type, long first, long last) {
        ram.fill(DATA, 0x100, 0);
        ram.putI32(DATA, type);
        ram.putI32(DATA + 4, DOMAIN);
        ram.putI64(DATA + 8, first);
        ram.putI64(DATA + 16, last);
        if (type == 3) {
            ram.putI32(DATA + 32, 3);
        }
        DriverRing ring = iommuFunction.ring(0);
        int before = ring.usedIndex();
        ring.chain(0, Buffer.readable(DATA, type == 3 ? 36 : 20), Buffer.writable(DATA + 64, 4));
        ring.offer(0);
        iommuFunction.doorbell(0);
        assertEquals((before + 1) & 0xffff, ring.usedIndex());
        assertEquals(0, ram.i32(DATA + 64));
    }

    private void readDisk(long shift) {
        DriverRing ring = disk().ring(0);
        int before = ring.usedIndex();
        RawRequests.read(ring, 0, DATA, shift, SECTOR);
        disk().doorbell(0);
        Parked.until(() -> ring.usedIndex() == before + 1);
        assertEquals(0, ram.u8(DATA + RawRequests.STATUS));
    }

    private void drawEntropy(long shift) {
        DriverRing ring = entropyFunction.ring(0);
        int before = ring.usedIndex();
        ring.chain(0, Buffer.writable(DATA + shift, 64));
        ring.offer(0);
        entropyFunction.doorbell(0);
        assertEquals(before + 1, ring.usedIndex());
        assertEquals(64, ring.usedLength(before));
    }

    /** Four long reads, the first of which waits in the file. */
    private void load() {
        holding.set(true);
        for (int i = 1; i < 5; i++) {
            RawRequests.read(disk().ring(0), 3 * i, DATA + i * STEP, SHIFT, LENGTH);
        }
        disk().doorbell(0);
        Parked.await(there);
    }

    private MemorySegment segment() {
        return Objects.requireNonNull(memory.map().find(0)).segment();
    }

    private void fill() {
        segment().fill((byte) POISON);
    }

    private void assertUntouched() {
        long at = segment().mismatch(Arena.ofAuto().allocate(RAM).fill((byte) POISON));
        assertTrue(at == -1, () -> "a byte changed at 0x" + Long.toHexString(at));
    }
}
