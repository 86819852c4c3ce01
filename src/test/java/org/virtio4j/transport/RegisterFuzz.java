// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;

/**
 * A guest whose CPUs access registers at random. What it gives a device to work on lies in the middle of its RAM;
 * whatever lies before and behind is its own, and no address of that is ever written to a register.
 */
final class RegisterFuzz implements AutoCloseable {

    /** Above 4 GiB, with a low half that does not come about by chance. */
    static final long GIVEN = 0x12_3450_0000L;

    private static final long GIVEN_SIZE = 0x40_0000;
    private static final long OWN_SIZE = 0x1_0000;
    private static final int LARGEST_BUFFER = (int) GuestMemory.PAGE_SIZE;
    private static final byte UNTOUCHED = 0x5a;
    private static final int USUAL_DOOR = 10;
    private static final int[] NATURAL = {1, 2, 4, 8};
    private static final int MOST_QUEUES = 2;
    private static final int ENTRIES = 8;

    /** A device to be accessed, and a driver for it that behaves. */
    interface Subject {

        VirtioDevice device();

        /** How large its queues can be. */
        List<Integer> queueSizes();

        /** Begins with a reset, uses the device and fails if it is not as it should be. */
        void use(Port port, GuestRam ram);

        /** Clears what it has written down, if it does. */
        void tidy();
    }

    private final GuestMemory memory = GuestMemory.anonymous(GIVEN - OWN_SIZE, GIVEN_SIZE + 2 * OWN_SIZE);
    private final MemorySegment before;
    private final MemorySegment behind;
    private final MemorySegment untouched = MemorySegment.ofArray(new byte[(int) OWN_SIZE]);

    /** For the driver that behaves; the others take what they like. */
    private final GuestRam drivers = new GuestRam(memory, GIVEN, GIVEN_SIZE / 2);
    private final GuestBytes ram = new GuestBytes(memory, null);
    private final Subject subject;
    private final Port port;
    private final List<Port.Door> doors = new ArrayList<>();
    private final List<Long> identity;
    private final List<Integer> features;

    RegisterFuzz(TransportKind kind, Subject subject) {
        this.subject = subject;
        MemoryRegion region = memory.map().region(0);
        before = region.segment().asSlice(0, OWN_SIZE).fill(UNTOUCHED);
        behind = region.segment().asSlice(OWN_SIZE + GIVEN_SIZE, OWN_SIZE).fill(UNTOUCHED);
        untouched.fill(UNTOUCHED);
        port = kind.connect(subject.device(), DmaSpace.identity(memory), () -> { });
        for (Port.Door door : port.doors()) {
            // Behind most doors there is nothing; the others are for most of the time.
            doors.addAll(Collections.nCopies(door.places().isEmpty() ? 1 : USUAL_DOOR, door));
        }
        identity = port.identity();
        features = features();
    }

    Port port() {
        return port;
    }

    @Override
    public void close() {
        port.driver().writeStatus(0);
        memory.close();
    }

    // What must stay

    /** Looks at what must be as it was, and as it must be at any time. */
    void check() {
        assertTrue(port.find(), "the device is gone");
        assertEquals(identity, port.identity());
        assertEquals(features, features());
        int status = port.driver().status();
        assertEquals(0, status & ~0xcf, "status");
        for (int queue = 0; queue <= MOST_QUEUES && port.shows(Register.QUEUE_SIZE); queue++) {
            long size = port.read(queue, Register.QUEUE_SIZE);
            assertEquals(queue < subject.queueSizes().size() ? 1 : 0, Long.bitCount(size), "size of queue " + queue);
            assertTrue(size == 0 || size <= subject.queueSizes().get(queue), "size of queue " + queue);
        }
        assertEquals((status & 0x40) != 0, !port.needsResetReason().isEmpty(), "NEEDS_RESET and its reason");
        subject.tidy();
    }

    /** Resets the device and lets a driver that behaves use it. */
    void checkUse() {
        check();
        port.driver().writeStatus(0);
        assertEquals(0, port.driver().status());
        assertEquals("", port.needsResetReason());
        for (int queue = 0; queue < subject.queueSizes().size(); queue++) {
            assertEquals(subject.queueSizes().get(queue), port.driver().queueSizeMax(queue));
        }
        assertEquals(0, port.driver().queueSizeMax(subject.queueSizes().size()));
        subject.use(port, drivers);
        check();
        assertEquals(-1, before.mismatch(untouched), "RAM before what the device was given");
        assertEquals(-1, behind.mismatch(untouched), "RAM behind what the device was given");
    }

    private List<Integer> features() {
        List<Integer> words = new ArrayList<>();
        for (int word = -1; word <= 4; word++) {
            words.add(port.driver().offeredFeatures(word));
        }
        return words;
    }

    // What a CPU does

    /** One CPU of the guest. */
    final class Cpu {

        private final SplittableRandom random;

        Cpu(long seed) {
            random = new SplittableRandom(seed);
        }

        /** One access to anything. */
        void access() {
            Port.Door door = doors.get(random.nextInt(doors.size()));
            long offset = offset(door);
            int width = width();
            if (random.nextInt(8) < 5) {
                door.handler().write(offset, width, value());
                return;
            }
            long seen = door.handler().read(offset, width);
            boolean natural = width == 1 || width == 2 || width == 4 || width == 8;
            if (!natural || !door.reach().answers(offset, width)) {
                assertEquals(0, seen, () -> place(door, offset, width));
            } else if (width < Long.BYTES) {
                assertEquals(0, seen >>> (width * Byte.SIZE), () -> place(door, offset, width));
            }
        }

        /** Some steps of a driver that wants something, so that random accesses meet a device at work. */
        void enliven() {
            port.driver().writeStatus(random.nextBoolean() ? 0 : 1);
            port.driver().writeStatus(3);
            for (int word = 0; word < 4; word++) {
                int offered = features.get(word + 1);
                port.driver().acceptFeatures(word, random.nextInt(4) == 0 ? offered & random.nextInt() : offered);
            }
            port.driver().acceptFeatures(1, features.get(2));
            port.driver().writeStatus(11);
            for (int queue = 0; queue < MOST_QUEUES; queue++) {
                DriverRing ring = ring();
                port.driver().enableQueue(queue, ENTRIES, ring.descriptors(), ring.available(), ring.used());
            }
            port.driver().writeStatus(15);
            port.notifyQueue(random.nextInt(MOST_QUEUES));
        }

        private DriverRing ring() {
            long at = page();
            ram.fill(at + 0x400, 0x400, 0);
            DriverRing ring = new DriverRing(ram, ENTRIES, at, at + 0x400, at + 0x600);
            for (int head = 0; head < ENTRIES; head++) {
                int flags = random.nextInt(4) == 0 ? random.nextInt(16) : 2 * random.nextInt(2);
                ring.descriptor(head, new Buffer(random.nextInt(8) == 0 ? address(random.nextLong()) : page(),
                        random.nextInt(LARGEST_BUFFER + 1), flags, random.nextInt(ENTRIES + 1)));
            }
            for (int offers = random.nextInt(ENTRIES + 1); offers > 0; offers--) {
                ring.offer(random.nextInt(ENTRIES));
            }
            return ring;
        }

        private long offset(Port.Door door) {
            List<Long> places = door.places();
            return switch (places.isEmpty() ? 15 : random.nextInt(16)) {
                case 0 -> random.nextLong();
                case 1 -> places.get(random.nextInt(places.size())) + random.nextInt(-8, 9);
                case 2 -> random.nextInt(0x1_0000);
                case 3 -> Long.MAX_VALUE - random.nextInt(8);
                case 4 -> Long.MIN_VALUE + random.nextInt(8);
                case 15 -> random.nextInt(-16, 0x4000);
                default -> places.get(random.nextInt(places.size()));
            };
        }

        private int width() {
            return switch (random.nextInt(16)) {
                case 0 -> random.nextInt();
                case 1 -> random.nextInt(-1, 18);
                default -> NATURAL[random.nextInt(NATURAL.length)];
            };
        }

        private long value() {
            return address(switch (random.nextInt(8)) {
                case 0 -> random.nextLong();
                case 1 -> 1L << random.nextInt(64);
                case 2 -> page();
                case 3 -> GIVEN >>> Integer.SIZE;
                case 4 -> random.nextInt(0x100);
                case 5 -> random.nextInt();
                default -> random.nextInt(16);
            });
        }

        /** A page of what devices are given, behind the part of the driver that behaves; often the last one. */
        private long page() {
            int pages = (int) (GIVEN_SIZE / 2 / GuestMemory.PAGE_SIZE);
            int page = random.nextInt(4) == 0 ? pages - 1 : random.nextInt(pages);
            return GIVEN + GIVEN_SIZE / 2 + page * GuestMemory.PAGE_SIZE;
        }
    }

    /**
     * The value, moved elsewhere if one half of it could be taken for the low half of an address from which a ring or
     * buffer would reach what is the guest's own. From the start of a page none does.
     */
    private static long address(long value) {
        long low = moved(value & 0xffff_ffffL);
        return moved(value >>> Integer.SIZE) << Integer.SIZE | low;
    }

    private static long moved(long half) {
        long offset = half - (GIVEN & 0xffff_ffffL);
        boolean before = offset >= -OWN_SIZE - GuestMemory.PAGE_SIZE && offset < 0;
        boolean behind = offset > GIVEN_SIZE - GuestMemory.PAGE_SIZE && offset < GIVEN_SIZE + OWN_SIZE;
        return before || behind ? half ^ 0x8000_0000L : half;
    }

    private static String place(Port.Door door, long offset, int width) {
        return door.name() + " offset 0x" + Long.toHexString(offset) + " width " + width;
    }
}
