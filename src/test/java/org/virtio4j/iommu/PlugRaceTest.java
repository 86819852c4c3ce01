// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.ReaderCount;

/** Endpoints that go while their devices are at work, and what is left of them. */
class PlugRaceTest extends IommuTests {

    private static final int LATE = 0x108;
    private static final int DEVICES = 3;
    private static final int SIZE = 0x4000;
    private static final long CANARY = IommuMachine.FREE_RAM;

    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    @Test
    @DisplayName("No byte lands after unplug has returned, with several devices that write all the time")
    void shouldLandNothingAfterUnplug() throws InterruptedException {
        IommuMachine machine = start();
        for (int round = 0; round < 150; round++) {
            machine.fill(CANARY, SIZE, 0);
            machine.iommu().plug(LATE, ReservedRegions.NONE);
            if (round % 3 == 0) {
                machine.writeBypass(1);
            } else {
                machine.ok(Requests.attach(ONE, LATE));
                machine.ok(Requests.map(ONE, CANARY, CANARY + SIZE - 1, CANARY));
            }
            List<Thread> writing = startDevices(machine);
            while (machine.isFilled(CANARY + SIZE - 64, 64, 0)) {
                Thread.onSpinWait();
            }
            machine.iommu().unplug(LATE);
            machine.fill(CANARY, SIZE, 0);
            for (Thread thread : writing) {
                thread.join();
            }
            assertNull(failure.get());
            assertTrue(machine.isFilled(CANARY, SIZE, 0), "round " + round);
            machine.writeBypass(0);
        }
        assertEquals(0, machine.iommu().liveDomains());
    }

    private List<Thread> startDevices(IommuMachine machine) {
        DmaSpace space = DmaSpace.of(machine.memory(), machine.iommu().translator(LATE));
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < DEVICES; i++) {
            DmaHandle handle = space.open("device " + i);
            threads.add(Thread.ofPlatform().uncaughtExceptionHandler((thread, thrown) -> failure.set(thrown))
                    .start(() -> writeUntilRefused(handle)));
        }
        return threads;
    }

    private static void writeUntilRefused(DmaHandle handle) {
        DmaResult result = DmaResult.OK;
        for (int at = 0; result == DmaResult.OK; at = (at + 64) % SIZE) {
            handle.enter();
            try {
                result = Dma.write(handle, CANARY + at, 64, 0x55);
            } finally {
                handle.leave();
            }
        }
        assertEquals(DmaResult.FAULT, result);
        handle.close();
    }

    @Test
    @DisplayName("Endpoints come and go on one thread while requests of others are served on another")
    void shouldServeOthersMeanwhile() throws InterruptedException {
        IommuMachine machine = start();
        Thread plugging = Thread.ofPlatform().uncaughtExceptionHandler((thread, thrown) -> failure.set(thrown))
                .start(() -> {
                    for (int i = 0; i < 2_000; i++) {
                        machine.iommu().plug(LATE + i % 7, ReservedRegions.NONE);
                        assertTrue(machine.iommu().claim(LATE + i % 7).isPresent());
                        machine.iommu().unplug(LATE + i % 7);
                    }
                });
        machine.ok(Requests.attach(ONE, DISK));
        do {
            machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
            assertMapped(machine, DISK, 0x1000, 0x8000);
            machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
            machine.ok(Requests.attach(TWO, NIC));
            machine.ok(Requests.detach(TWO, NIC));
        } while (plugging.isAlive());
        plugging.join();
        assertNull(failure.get());
        assertEquals(1, machine.iommu().liveDomains());
    }

    @Test
    @DisplayName("Nothing is left after 10,000 rounds: no reader, domain, table memory or object of an endpoint")
    void shouldLeaveNothingBehind() {
        IommuMachine machine = start();
        round(machine, 0);
        long tables = machine.iommu().tableBytes();
        int readers = ReaderCount.of(machine.iommu().readers());
        WeakReference<Object> first = round(machine, 1);
        for (int i = 2; i < 10_000; i++) {
            round(machine, i);
        }
        assertEquals(tables, machine.iommu().tableBytes());
        assertEquals(readers, ReaderCount.of(machine.iommu().readers()));
        assertEquals(0, machine.iommu().liveDomains());
        assertEquals(0, machine.iommu().liveMappings());
        assertCollected(first);
        // As many as before fit.
        for (int i = 0; i < 100; i++) {
            machine.iommu().plug(LATE + i, ReservedRegions.NONE);
        }
    }

    /** Plugs, uses and unplugs a group of two with regions of their own. */
    private static WeakReference<Object> round(IommuMachine machine, int round) {
        VirtioIommu iommu = machine.iommu();
        ReservedRegions regions = ReservedRegions.of(new ReservedRegion(0x1_0000_0000L + round * 0x1000L,
                0x1_0000_0fffL + round * 0x1000L, ReservedRegion.Kind.RESERVED));
        iommu.plugGroup(regions, LATE + 2 * round, LATE + 2 * round + 1);
        machine.ok(Requests.attach(ONE, LATE + 2 * round));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        DmaSpace space = DmaSpace.of(machine.memory(), iommu.translator(LATE + 2 * round));
        try (DmaHandle handle = space.open("device")) {
            handle.enter();
            handle.translate(0x1000, Access.READ, (virtStart, virtEnd, physStart, permitted) -> { });
            handle.leave();
            iommu.unplug(LATE + 2 * round);
        }
        iommu.unplug(LATE + 2 * round + 1);
        return new WeakReference<>(regions);
    }

    private static void assertCollected(WeakReference<Object> object) {
        for (int i = 0; i < 50 && object.get() != null; i++) {
            System.gc();
        }
        assertNull(object.get());
    }
}
