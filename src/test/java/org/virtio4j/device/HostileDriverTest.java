// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.fixture.Parked;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Drivers that call anything in any order with any value: nothing throws, and a new driver can always begin. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileDriverTest {

    private static final int STEPS = 4_000;
    private static final List<QueueArea> AREAS = List.of(QueueArea.values());
    private static final List<ResetKind> KINDS = List.of(ResetKind.values());

    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());

    @Test
    void shouldNeverThrowWhateverADriverDoes() {
        System.out.println("HostileDriverTest -Dvirtio4j.seed=" + seed);
        for (int round = 0; round < 20; round++) {
            Random random = new Random(seed + round);
            try (LifecycleFixture fixture =
                    round % 2 == 0 ? LifecycleFixture.identity() : LifecycleFixture.behindTable()) {
                misbehave(fixture, random);
                fixture.lifecycle.writeStatus(0);
                assertEquals(0, fixture.lifecycle.status());
                mendTable(fixture);
                DriverRing ring = fixture.run();
                LifecycleFixture.offer(ring, 0);
                fixture.lifecycle.kick(0);
                assertEquals(1, ring.usedIndex(), "a driver that behaves was not served");
            }
        }
    }

    @Test
    void shouldNeverThrowWhenSeveralDriversMisbehaveAtOnce() {
        System.out.println("HostileDriverTest -Dvirtio4j.seed=" + seed);
        try (LifecycleFixture fixture = LifecycleFixture.identity()) {
            Thread[] drivers = new Thread[3];
            Throwable[] thrown = new Throwable[drivers.length];
            for (int i = 0; i < drivers.length; i++) {
                int number = i;
                drivers[i] = new Thread(() -> misbehave(fixture, new Random(seed + 100 + number)), "driver " + i);
                drivers[i].setUncaughtExceptionHandler((thread, problem) -> thrown[number] = problem);
                drivers[i].start();
            }
            for (int i = 0; i < drivers.length; i++) {
                Parked.finish(drivers[i]);
                int number = i;
                assertTrue(thrown[i] == null, () -> String.valueOf(thrown[number]));
            }
            fixture.lifecycle.writeStatus(0);
            DriverRing ring = fixture.run();
            LifecycleFixture.offer(ring, 0);
            fixture.lifecycle.kick(0);
            assertEquals(1, ring.usedIndex());
        }
    }

    private static void misbehave(LifecycleFixture fixture, Random random) {
        DriverRing[] rings = {fixture.ring(0, 8), fixture.ring(1, 8), fixture.ring(2, 8)};
        for (int step = 0; step < STEPS; step++) {
            DriverRing ring = rings[random.nextInt(rings.length)];
            long queue = random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(3);
            switch (random.nextInt(10)) {
                case 0 -> scribble(ring, random);
                case 1 -> moveOn(fixture, random);
                case 2 -> setUp(fixture.lifecycle, random, queue);
                case 3 -> fixture.place((int) (queue & 1), ring);
                case 4 -> fixture.lifecycle.enableQueue(queue);
                case 5 -> takeBack(fixture, random, queue);
                case 6 -> look(fixture.lifecycle, random, queue);
                case 7 -> behave(fixture, ring, (int) (queue & 1));
                default -> fixture.lifecycle.kick(queue);
            }
        }
    }

    /** The steps of a driver that wants something, so that the rest has something to break. */
    private static void behave(LifecycleFixture fixture, DriverRing ring, int queue) {
        fixture.lifecycle.writeStatus(LifecycleFixture.FOUND);
        fixture.accept(Features.of(FeatureBit.VERSION_1, FeatureBit.RING_RESET, FeatureBit.INDIRECT_DESC)
                .with(fixture.table == null ? LifecycleFixture.BIT_OF_TYPE : FeatureBit.ACCESS_PLATFORM));
        fixture.lifecycle.writeStatus(LifecycleFixture.NEGOTIATED);
        fixture.enable(queue, ring);
        fixture.lifecycle.writeStatus(LifecycleFixture.RUNNING);
    }

    private static void scribble(DriverRing ring, Random random) {
        for (int i = 0; i < 4; i++) {
            long address = random.nextInt(4) == 0 ? random.nextLong() : LifecycleFixture.buffer(random.nextInt(4));
            ring.descriptor(random.nextInt(ring.size()),
                    new Buffer(address, random.nextInt(64) * 16, random.nextInt(8), random.nextInt(9)));
        }
        ring.stage(random.nextInt(random.nextInt(4) == 0 ? 0x10000 : 8));
        ring.show();
    }

    private static void moveOn(LifecycleFixture fixture, Random random) {
        int[] usual = {0, 1, 3, 11, 15, 15, 15, DeviceStatus.NEEDS_RESET, 0x8f};
        fixture.lifecycle.writeStatus(
                random.nextInt(4) == 0 ? random.nextInt() : usual[random.nextInt(usual.length)]);
        fixture.lifecycle.writeDriverFeatures(random.nextInt(6), random.nextInt(4) == 0 ? random.nextInt() : 1);
    }

    private static void setUp(DeviceLifecycle lifecycle, Random random, long queue) {
        QueueArea area = AREAS.get(random.nextInt(AREAS.size()));
        lifecycle.writeQueueSize(queue, random.nextBoolean() ? 1L << random.nextInt(64) : random.nextLong());
        lifecycle.writeQueueAddressLow(queue, area, random.nextInt());
        lifecycle.writeQueueAddressHigh(queue, area, random.nextInt(3));
    }

    private static void takeBack(LifecycleFixture fixture, Random random, long queue) {
        switch (random.nextInt(4)) {
            case 0 -> fixture.lifecycle.resetQueue(queue);
            case 1 -> fixture.lifecycle.disableQueue(queue);
            case 2 -> fixture.lifecycle.reset(KINDS.get(random.nextInt(KINDS.size())));
            default -> {
                PageTable table = fixture.table;
                if (table != null) {
                    table.permit(LifecycleFixture.buffer(random.nextInt(256)), random.nextInt(4));
                }
            }
        }
    }

    private static void mendTable(LifecycleFixture fixture) {
        PageTable table = fixture.table;
        for (int i = 0; table != null && i < 256; i++) {
            table.permit(LifecycleFixture.buffer(i), 3);
        }
    }

    private static void look(DeviceLifecycle lifecycle, Random random, long queue) {
        lifecycle.readConfig(random.nextBoolean() ? random.nextInt(16) : random.nextLong(), random.nextInt(10));
        lifecycle.writeConfig(random.nextBoolean() ? random.nextInt(16) : random.nextLong(), random.nextInt(10), -1);
        lifecycle.configGeneration();
        lifecycle.deviceFeatures(random.nextLong());
        lifecycle.driverFeatures(random.nextLong());
        int size = lifecycle.queueSize(queue);
        assertTrue(size >= 0 && size <= lifecycle.queueSizeMax(queue) && Integer.bitCount(size) <= 1);
        assertEquals(0, lifecycle.status() & ~0xcf);
        lifecycle.queueEnabled(queue);
        lifecycle.needsResetReason();
        lifecycle.queueAddress(queue, QueueArea.DEVICE);
    }
}
