// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** Section 2.7.4: how a request is cut into descriptors says nothing; only its bytes count. */
class FramingTest extends IommuTests {

    private static final int PROBE_SIZE = 48;

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("2.7.4.1: every byte in a descriptor of its own")
    void shouldServeWhenEachByteHasItsOwnDescriptor(int type) {
        IommuMachine machine = prepared(type);
        assertServed(type, machine.sendPieces(Requests.ofType(type), ones(Spec.readableSize(type)), room(type),
                ones(room(type))), machine);
    }

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("2.7.4.1: head and tail cut in the middle")
    void shouldServeWhenHeadAndTailAreSplit(int type) {
        IommuMachine machine = prepared(type);
        int size = Spec.readableSize(type);
        assertServed(type, machine.sendPieces(Requests.ofType(type), new int[] {1, 2, 6, size - 9}, room(type),
                new int[] {room(type) - 3, 1, 2}), machine);
    }

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("2.7.4.1: descriptors of no length in between")
    void shouldServeWhenThereAreEmptyDescriptors(int type) {
        IommuMachine machine = prepared(type);
        int size = Spec.readableSize(type);
        assertServed(type, machine.sendPieces(Requests.ofType(type), new int[] {0, 5, 0, 0, size - 5, 0}, room(type),
                new int[] {0, 1, 0, room(type) - 1, 0}), machine);
    }

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("2.7.5.3: in an indirect table, whole and byte by byte")
    void shouldServeWhenInIndirectTable(int type) {
        for (boolean split : new boolean[] {false, true}) {
            IommuMachine machine = powerOn(builder()).startIndirect(128);
            prepare(machine, type);
            int size = Spec.readableSize(type);
            int[] readable = split ? ones(size) : new int[] {size};
            int[] writable = split ? ones(room(type)) : new int[] {room(type)};
            assertServed(type, machine.sendPieces(Requests.ofType(type), readable, room(type), writable), machine);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("2.7.4: readable and writable part each run over the border of two regions of memory")
    void shouldServeWhenPartsCrossRegions(int type) {
        byte[] request = Requests.ofType(type);
        for (int before = 1; before < Spec.readableSize(type); before += 3) {
            IommuMachine machine = prepared(type);
            long from = IommuMachine.REGION_BORDER - before;
            machine.ram().view(from, request.length).write(0, request, 0, request.length);
            long to = IommuMachine.FREE_RAM + 0x1000 - 2;
            machine.fill(to, room(type), Reply.UNTOUCHED);
            assertServed(type, machine.sendAt(new long[] {from, to}, new long[] {request.length, room(type)}, 1,
                    room(type)), machine);
        }
        for (int before = 1; before < room(type); before++) {
            IommuMachine machine = prepared(type);
            long from = IommuMachine.FREE_RAM + 0x1000 - 7;
            machine.ram().view(from, request.length).write(0, request, 0, request.length);
            long to = IommuMachine.REGION_BORDER - before;
            machine.fill(to, room(type), Reply.UNTOUCHED);
            assertServed(type, machine.sendAt(new long[] {from, to}, new long[] {request.length, room(type)}, 1,
                    room(type)), machine);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("2.7.4.1: any cut at all")
    void shouldServeWhenCutAtRandom(int type) {
        long seed = Seeds.next();
        Random random = new Random(seed);
        for (int i = 0; i < 20; i++) {
            IommuMachine machine = prepared(type);
            int[] readable = cuts(random, Spec.readableSize(type));
            int[] writable = cuts(random, room(type));
            assertServed(type, machine.sendPieces(Requests.ofType(type), readable, room(type), writable), machine);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    @DisplayName("5.13.6 rule 11: too short stays too short in any cut")
    void shouldNotWriteWhenTooShortInManyDescriptors(int type) {
        IommuMachine machine = prepared(type);
        int size = Spec.readableSize(type);
        Reply.assertUnanswered(machine.sendPieces(Requests.ofType(type), ones(size - 1), room(type), ones(room(type))));
        Reply.assertUnanswered(machine.sendPieces(Requests.ofType(type), ones(size), 3, ones(3)));
    }

    private IommuMachine prepared(int type) {
        IommuMachine machine = start(builder());
        prepare(machine, type);
        return machine;
    }

    private static VirtioIommuBuilder builder() {
        return iommu().reserved(ReservedRegions.X86_MSI).probeSize(PROBE_SIZE);
    }

    private static void prepare(IommuMachine machine, int type) {
        if (type != Spec.ATTACH) {
            machine.ok(Requests.attach(ONE, DISK));
        }
        if (type == Spec.UNMAP) {
            machine.ok(Requests.ofType(Spec.MAP));
        }
    }

    private static int room(int type) {
        return Spec.TAIL + (type == Spec.PROBE ? PROBE_SIZE : 0);
    }

    /** The answer is that of an undivided request, and the request had its effect. */
    private static void assertServed(int type, Reply reply, IommuMachine machine) {
        if (type == Spec.PROBE) {
            byte[] properties = new byte[PROBE_SIZE];
            byte[] region = {1, 0, 20, 0, 1, 0, 0, 0, 0, 0, (byte) 0xe0, (byte) 0xfe, 0, 0, 0, 0,
                (byte) 0xff, (byte) 0xff, (byte) 0xef, (byte) 0xfe};
            System.arraycopy(region, 0, properties, 0, region.length);
            Reply.assertWritten(properties, Spec.OK, reply);
        } else {
            Reply.assertStatus(Spec.OK, reply);
        }
        switch (type) {
            case Spec.DETACH -> assertBlocked(machine, DISK);
            case Spec.MAP -> assertMapped(machine, DISK, 0x1fff, 0x8fff);
            default -> assertUnmapped(machine, DISK, 0x1fff);
        }
        assertEquals(type == Spec.MAP ? 1 : 0, machine.iommu().liveMappings());
    }

    private static int[] ones(int count) {
        int[] pieces = new int[count];
        Arrays.fill(pieces, 1);
        return pieces;
    }

    private static int[] cuts(Random random, int total) {
        return random.ints(random.nextInt(7), 0, total + 1).sorted().collect(
                () -> new Cut(total), Cut::at, (a, b) -> { }).pieces();
    }

    /** Turns places to cut at into lengths. */
    private static final class Cut {

        private final int total;
        private int[] pieces = {};
        private int done;

        Cut(int total) {
            this.total = total;
        }

        void at(int place) {
            pieces = Arrays.copyOf(pieces, pieces.length + 1);
            pieces[pieces.length - 1] = place - done;
            done = place;
        }

        int[] pieces() {
            at(total);
            return pieces;
        }
    }
}
