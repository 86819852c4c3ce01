// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * Drivers that take any step in any order with any value: nothing throws, and a new driver can always begin. They know
 * what the registers are for, unlike those of {@link RegisterFuzzTest}.
 */
class HostileDriverTest extends TransportTests {

    private static final int STEPS = 4_000;
    private static final List<QueueArea> AREAS = List.of(QueueArea.values());
    private static final List<ResetKind> KINDS = List.of(ResetKind.values());

    HostileDriverTest(TransportKind kind) {
        super(kind);
    }

    @Test
    @DisplayName("2.1 to 2.6: nothing throws whatever a driver does, and one that behaves is served afterwards")
    void shouldNeverThrowWhateverADriverDoes() {
        long seed = Seeds.next();
        for (int round = 0; round < 20; round++) {
            try (Guest one = round % 2 == 0 ? Guest.identity(kind) : Guest.behindTable(kind)) {
                new Driver(one, new Random(seed + round), true).misbehave();
                one.writeStatus(0);
                assertEquals(0, one.status());
                mendTable(one);
                assertServed(one);
            }
        }
    }

    @Test
    @DisplayName("2.1 to 2.6: nor when several drivers do it at once")
    void shouldNeverThrowWhenSeveralDriversMisbehaveAtOnce() {
        long seed = Seeds.next();
        Thread[] drivers = new Thread[3];
        Throwable[] thrown = new Throwable[drivers.length];
        for (int i = 0; i < drivers.length; i++) {
            int number = i;
            drivers[i] = new Thread(new Driver(guest, new Random(seed + 100 + number), false)::misbehave);
            drivers[i].setUncaughtExceptionHandler((thread, problem) -> thrown[number] = problem);
            drivers[i].start();
        }
        for (int i = 0; i < drivers.length; i++) {
            Parked.finish(drivers[i]);
            int number = i;
            assertTrue(thrown[i] == null, () -> String.valueOf(thrown[number]));
        }
        guest.writeStatus(0);
        assertServed(guest);
    }

    private static void assertServed(Guest guest) {
        DriverRing ring = guest.run();
        Guest.offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex(), "a driver that behaves was not served");
    }

    private static void mendTable(Guest guest) {
        PageTable table = guest.table;
        for (int i = 0; table != null && i < Guest.PAGES; i++) {
            table.permit(Guest.buffer(i), 3);
        }
    }

    /** One driver; others may be at the same device, so that what it selects need not be what it reads. */
    private record Driver(Guest guest, Random random, boolean alone) {

        void misbehave() {
            DriverRing[] rings = {guest.ring(0, 8), guest.ring(1, 8), guest.ring(2, 8)};
            for (int step = 0; step < STEPS; step++) {
                DriverRing ring = rings[random.nextInt(rings.length)];
                long queue = random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(3);
                switch (random.nextInt(10)) {
                    case 0 -> scribble(ring);
                    case 1 -> moveOn();
                    case 2 -> setUp(queue);
                    case 3 -> guest.place((int) (queue & 1), ring);
                    case 4 -> guest.port.enableQueue(queue);
                    case 5 -> takeBack(queue);
                    case 6 -> look(queue);
                    case 7 -> behave(ring, (int) (queue & 1));
                    default -> guest.port.notifyQueue(queue);
                }
            }
        }

        /** The steps of a driver that wants something, so that the rest has something to break. */
        private void behave(DriverRing ring, int queue) {
            guest.writeStatus(Guest.FOUND);
            guest.accept(Features.of(FeatureBit.VERSION_1, FeatureBit.RING_RESET, FeatureBit.INDIRECT_DESC)
                    .with(guest.table == null ? RecordingDevice.BIT_OF_TYPE : FeatureBit.ACCESS_PLATFORM));
            guest.writeStatus(Guest.NEGOTIATED);
            guest.enable(queue, ring);
            guest.writeStatus(Guest.RUNNING);
        }

        private void scribble(DriverRing ring) {
            for (int i = 0; i < 4; i++) {
                long address = random.nextInt(4) == 0 ? random.nextLong() : Guest.buffer(random.nextInt(4));
                ring.descriptor(random.nextInt(ring.size()),
                        new Buffer(address, random.nextInt(64) * 16, random.nextInt(8), random.nextInt(9)));
            }
            ring.stage(random.nextInt(random.nextInt(4) == 0 ? 0x10000 : 8));
            ring.show();
        }

        private void moveOn() {
            int[] usual = {0, 1, 3, 11, 15, 15, 15, DeviceStatus.NEEDS_RESET, 0x8f};
            guest.writeStatus(random.nextInt(4) == 0 ? random.nextInt() : usual[random.nextInt(usual.length)]);
            guest.driver.acceptFeatures(random.nextInt(6), random.nextInt(4) == 0 ? random.nextInt() : 1);
        }

        private void setUp(long queue) {
            QueueArea area = AREAS.get(random.nextInt(AREAS.size()));
            Port port = guest.port;
            port.write(queue, Register.QUEUE_SIZE, random.nextBoolean() ? 1L << random.nextInt(64) : random.nextLong());
            port.write(queue, Register.low(area), random.nextInt());
            port.write(queue, Register.high(area), random.nextInt(4) == 0 ? Guest.RAM >>> 32 : random.nextInt(3));
        }

        private void takeBack(long queue) {
            switch (random.nextInt(4)) {
                case 0 -> guest.port.write(queue, Register.QUEUE_RESET, 1);
                case 1 -> guest.port.write(queue, Register.QUEUE_ENABLE, 0);
                case 2 -> guest.port.reset(KINDS.get(random.nextInt(KINDS.size())));
                default -> {
                    PageTable table = guest.table;
                    if (table != null) {
                        table.permit(Guest.buffer(random.nextInt(Guest.PAGES)), random.nextInt(4));
                    }
                }
            }
        }

        private void look(long queue) {
            Port port = guest.port;
            port.readConfig(random.nextBoolean() ? random.nextInt(16) : random.nextLong(), random.nextInt(10));
            port.writeConfig(random.nextBoolean() ? random.nextInt(16) : random.nextLong(), random.nextInt(10), -1);
            for (Register register : Register.values()) {
                port.read(queue, register);
            }
            guest.driver.offeredFeatures(random.nextInt());
            port.needsResetReason();
            if (alone) {
                assertEquals(0, guest.status() & ~0xcf);
                assertSize(queue, port.read(queue, Register.QUEUE_SIZE));
            }
        }

        private void assertSize(long queue, long size) {
            int limit = queue == 1 ? RecordingDevice.SIZE_1 : RecordingDevice.SIZE_0;
            assertTrue(size >= 0 && size <= limit && Long.bitCount(size) <= 1, () -> "size " + size);
        }
    }
}
