// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.fixture.KeepingMirror;
import org.virtio4j.iommu.FaultyMirror.Fault;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.vmm.Access;

/**
 * A mirror fails at every call that a change makes, one after the other: MAP, ATTACH and the replay to a mirror that
 * joins then change nothing, in the table or in any mirror. If it fails to take something back, too, it is expelled,
 * and its endpoints reach nothing.
 */
class MirrorFaultTest extends IommuTests {

    private static final int ALIAS = 10;
    private static final int FULL = 3;
    private static final int[] ENDPOINTS = {DISK, NIC, ALIAS};
    private static final long LAST_PAGE = 0x1_0000;
    private static final int MOST_CALLS = 40;

    /** Changes to an IOMMU where domain 1 has two mappings, and domain 3 three, two of which continue each other. */
    enum Change {
        MAP(Requests.map(ONE, 0x8000, 0x8fff, 0x3_0000)),
        ATTACH_TO_NEW_DOMAIN(Requests.attach(TWO, NIC)),
        ATTACH_TO_FULL_DOMAIN(Requests.attach(FULL, NIC)),
        MOVE(Requests.attach(FULL, DISK)),
        MOVE_TO_NEW_DOMAIN(Requests.attach(TWO, DISK)),
        ATTACH_TO_BYPASS(Requests.attachBypass(TWO, DISK));

        @SuppressWarnings("ImmutableEnumChecker") // nobody stores to it
        private final byte[] request;

        Change(byte[] request) {
            this.request = request;
        }

        int mover() {
            return this == ATTACH_TO_NEW_DOMAIN || this == ATTACH_TO_FULL_DOMAIN ? NIC : DISK;
        }
    }

    /** What a mirror is like that fails. */
    enum Shape {
        ALL_ENDPOINTS,
        ONE_ENDPOINT,
        CAN_SPLIT,
        ONE_DOMAIN;

        FaultyMirror mirror() {
            FaultyMirror mirror = new FaultyMirror();
            mirror.splits = this == CAN_SPLIT;
            mirror.oneDomain = this == ONE_DOMAIN;
            return mirror;
        }

        int[] scope(int... movers) {
            return this == ALL_ENDPOINTS ? ENDPOINTS : movers;
        }
    }

    /** A machine with the mirror that fails between two that never do. */
    private final class Rig {

        final FaultyMirror before = new FaultyMirror();
        final FaultyMirror faulty;
        final FaultyMirror after = new FaultyMirror();
        final int[] scope;
        final IommuMachine machine;

        /** {@code grouped}: the disk has a second id. */
        Rig(Shape shape, boolean joined, boolean grouped, int... movers) {
            faulty = shape.mirror();
            scope = shape.scope(movers);
            VirtioIommuBuilder builder = iommu().mappingListener(before);
            if (joined) {
                builder.mappingListener(faulty, scope);
            }
            builder.mappingListener(after).endpoint(ALIAS);
            machine = start(grouped ? builder.group(DISK, ALIAS) : builder);
            machine.ok(Requests.attach(ONE, DISK));
            machine.ok(Requests.attach(FULL, grouped ? NIC : ALIAS));
            for (byte[] map : List.of(Requests.map(ONE, 0x1000, 0x2fff, 0x1_0000, Spec.MAP_F_READ),
                    Requests.map(ONE, 0x5000, 0x5fff, 0x2_0000), Requests.map(FULL, 0x1000, 0x1fff, 0x4_0000),
                    Requests.map(FULL, 0x2000, 0x2fff, 0x4_1000), Requests.map(FULL, 0x4000, 0x5fff, 0x5_0000))) {
                machine.ok(map);
            }
        }

        /** All that one can see: attachments, what mirrors hold, and what each endpoint's addresses mean. */
        String state() {
            StringBuilder text = new StringBuilder(after.attached + " " + after.pages + " "
                    + machine.iommu().liveMappings() + " " + machine.iommu().liveDomains());
            for (int endpoint : ENDPOINTS) {
                for (long page = 0; page <= LAST_PAGE; page += 0x1000) {
                    text.append('\n').append(endpoint).append(' ').append(machine.see(endpoint, page, Access.READ))
                            .append(machine.see(endpoint, page, Access.WRITE));
                }
            }
            return text.toString();
        }

        /** Every mirror that is left holds what the table has for its endpoints, and no endpoint sees anything else. */
        void assertAgree(boolean joined) {
            assertEquals(before.attached, after.attached);
            assertEquals(before.pages, after.pages);
            if (joined && !faulty.expelled) {
                assertEquals(held(after.attached, scope), faulty.attached);
                Map<Integer, Map<Long, String>> pages = new TreeMap<>(after.pages);
                pages.keySet().retainAll(faulty.attached.values());
                assertEquals(pages, faulty.pages);
            }
            for (int endpoint : ENDPOINTS) {
                Integer domain = after.attached.get(endpoint);
                if (after.calls.contains("attach " + endpoint + " " + domain + " bypass")) {
                    continue;
                }
                Map<Long, String> meant = domain == null ? Map.of() : after.pages.getOrDefault(domain, Map.of());
                for (long page = 0; page <= LAST_PAGE; page += 0x1000) {
                    boolean mapped = machine.see(endpoint, page, Access.READ).result() == TranslateResult.OK;
                    assertEquals(meant.containsKey(page), mapped, "endpoint " + endpoint + ", page " + page);
                }
            }
        }

        private static Map<Integer, Integer> held(Map<Integer, Integer> attached, int[] scope) {
            Map<Integer, Integer> some = new TreeMap<>(attached);
            some.keySet().retainAll(Arrays.stream(scope).boxed().toList());
            return some;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("MAP and ATTACH: whichever call fails, in whichever way, nothing has changed")
    void shouldChangeNothingWhenMirrorFails(Change change) {
        int failures = 0;
        for (Shape shape : Shape.values()) {
            for (Fault fault : Fault.values()) {
                failures += failAtEveryCall(change, shape, fault);
            }
        }
        assertTrue(failures >= 4, "failures " + failures);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("The same for the second id of an endpoint, which moves with the first")
    void shouldChangeNothingWhenMirrorFailsToMoveGroup(Fault fault) {
        byte[] request = Requests.attach(FULL, ALIAS);
        for (Shape shape : Shape.values()) {
            int calls = failAtEveryCall(() -> new Rig(shape, true, true, DISK, ALIAS), request, fault, false);
            assertTrue(calls >= 2, shape + " is called " + calls + " times");
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("The replay to a mirror that joins: whichever call fails, it has not joined and holds nothing")
    void shouldTakeEverythingBackWhenJoiningMirrorFails(Fault fault) {
        for (Shape shape : Shape.values()) {
            int call = 1;
            while (!joins(shape, fault, call)) {
                call++;
            }
            assertTrue(call > 3, shape + " is called " + call + " times");
        }
    }

    private boolean joins(Shape shape, Fault fault, int call) {
        Rig rig = new Rig(shape, false, false, DISK);
        String state = rig.state();
        rig.faulty.failAt(call, fault);
        boolean thrown = false;
        Answer answer = Answer.FAILED;
        try {
            answer = rig.machine.iommu().join(rig.faulty, rig.scope);
        } catch (FaultyMirror.Thrown expected) {
            thrown = true;
        }
        assertEquals(state, rig.state());
        if (!rig.faulty.hasFailed()) {
            rig.assertAgree(true);
            rig.faulty.failNoMore();
            rig.machine.iommu().leave(rig.faulty);
            assertEquals("{}{}", rig.faulty.pages.toString() + rig.faulty.attached, rig.faulty.calls.toString());
            assertEquals(state, rig.state());
            return true;
        }
        assertEquals(fault == Fault.THROWN, thrown);
        assertEquals(thrown ? Answer.FAILED : Answer.valueOf(fault.name()), answer);
        assertEquals("{}{}", rig.faulty.pages.toString() + rig.faulty.attached, rig.faulty.calls.toString());
        assertThrows(IllegalArgumentException.class, () -> rig.machine.iommu().leave(rig.faulty));
        int told = rig.faulty.calls.size();
        rig.machine.ok(Requests.map(ONE, 0x9000, 0x9fff, 0x9000));
        assertEquals(told, rig.faulty.calls.size());
        return false;
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("A mirror that fails to take back what it had agreed to is expelled, and its endpoints reach nothing")
    void shouldExpelMirrorThatFailsTwice(Change change) {
        int expelled = 0;
        for (Shape shape : Shape.values()) {
            for (int first = 1; first < 8; first++) {
                for (int second = first + 1; second < 10; second++) {
                    Rig rig = new Rig(shape, true, false, change.mover());
                    rig.faulty.failAt(first, Fault.NO_ROOM);
                    rig.faulty.alsoFailAt(second, Fault.FAILED);
                    int ignored = rig.machine.status(change.request);
                    rig.assertAgree(true);
                    if (rig.faulty.expelled) {
                        assertExpelled(rig);
                        expelled++;
                    }
                }
            }
        }
        assertTrue(expelled > 0 || change == Change.ATTACH_TO_NEW_DOMAIN, "expelled " + expelled);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Devices that remember translations reach nothing of a mirror that was expelled, even if it threw")
    void shouldKeepDevicesOutWhenMirrorIsExpelled(Fault fault) {
        for (boolean map : new boolean[] {false, true}) {
            byte[] request = map ? Change.MAP.request : Requests.unmap(ONE, 0x1000, 0x2fff);
            Rig rig = new Rig(Shape.ONE_ENDPOINT, true, false, DISK);
            for (int endpoint : new int[] {DISK, ALIAS}) {
                assertEquals(TranslateResult.OK, remembered(rig, endpoint, 0x1000));
                assertEquals(TranslateResult.OK, remembered(rig, endpoint, 0x5000));
            }
            if (map) {
                // The commit, and the unmap of what was to be committed.
                rig.faulty.failAt(3, Fault.NO_ROOM);
                rig.faulty.alsoFailAt(4, fault);
            } else {
                rig.faulty.failAt(1, fault);
            }
            if (fault == Fault.THROWN) {
                assertThrows(FaultyMirror.Thrown.class, () -> rig.machine.send(request));
            } else {
                assertEquals(map ? Spec.NOMEM : Spec.DEVERR, rig.machine.status(request));
            }
            assertTrue(rig.faulty.expelled);
            assertEquals(TranslateResult.NO_DOMAIN, remembered(rig, DISK, 0x1000));
            assertEquals(TranslateResult.NO_DOMAIN, remembered(rig, DISK, 0x5000));
            assertEquals(TranslateResult.OK, remembered(rig, ALIAS, 0x5000), "no endpoint of that mirror");
        }
    }

    private static TranslateResult remembered(Rig rig, int endpoint, long iova) {
        return Seen.of(rig.machine.dma(endpoint), iova, Access.READ).result();
    }

    /** Blocked until the listener leaves: nothing reaches memory, no ATTACH succeeds, nobody calls the listener. */
    private static void assertExpelled(Rig rig) {
        for (int endpoint : rig.scope) {
            assertBlocked(rig.machine, endpoint);
            assertEquals(Spec.UNSUPP, rig.machine.status(Requests.attach(ONE, endpoint)));
            rig.machine.iommu().endpointReset(endpoint);
            assertBlocked(rig.machine, endpoint);
        }
        rig.machine.iommu().leave(rig.faulty);
        for (int endpoint : rig.scope) {
            rig.machine.ok(Requests.attach(TWO, endpoint));
        }
        assertEquals("expelled", rig.faulty.calls.getLast());
        rig.machine.ok(Requests.map(TWO, 0x1000, 0x1fff, 0x8000));
        assertMapped(rig.machine, rig.scope[0], 0x1000, 0x8000);
    }

    @Test
    @DisplayName("When an expelled mirror leaves, the bypass byte decides over an endpoint where no device is at work")
    void shouldNotBlockIdleEndpointForEver() {
        IommuMachine machine = start();
        machine.writeBypass(1);
        MappingListener refusing = new KeepingMirror();
        assertEquals(Answer.DONE, machine.iommu().join(refusing, DISK));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertEquals(Spec.DEVERR, machine.status(Requests.unmap(ONE, 0x1000, 0x1fff)));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, DISK)));
        machine.iommu().leave(refusing);
        assertIdentity(machine, DISK);
    }

    private int failAtEveryCall(Change change, Shape shape, Fault fault) {
        return failAtEveryCall(() -> new Rig(shape, true, false, change.mover()), change.request, fault,
                change == Change.MAP);
    }

    /** How many calls the request makes. */
    private static int failAtEveryCall(Supplier<Rig> rigs, byte[] request, Fault fault, boolean map) {
        for (int call = 1; call < MOST_CALLS; call++) {
            Rig rig = rigs.get();
            String state = rig.state();
            rig.faulty.failAt(call, fault);
            boolean answered = request(rig, request, fault, expected(fault, map));
            if (!rig.faulty.hasFailed()) {
                assertTrue(answered);
                rig.assertAgree(true);
                return call - 1;
            }
            if (!rig.faulty.expelled) {
                assertEquals(state, rig.state(), fault + " at call " + call);
            }
            rig.assertAgree(true);
        }
        throw new AssertionError("more than " + MOST_CALLS + " calls");
    }

    /** False if the mirror has thrown, so that the queue is given up. */
    private static boolean request(Rig rig, byte[] request, Fault fault, int refused) {
        if (fault == Fault.THROWN) {
            try {
                assertEquals(Spec.OK, rig.machine.status(request));
                return true;
            } catch (FaultyMirror.Thrown thrown) {
                assertTrue(rig.faulty.hasFailed());
                return false;
            }
        }
        int status = rig.machine.status(request);
        int expected = rig.faulty.expelled ? Spec.DEVERR : rig.faulty.hasFailed() ? refused : Spec.OK;
        assertEquals(expected, status, rig.faulty.calls.toString());
        return true;
    }

    private static int expected(Fault fault, boolean map) {
        return switch (fault) {
            case NO_ROOM -> Spec.NOMEM;
            case UNSUPPORTED -> map ? Spec.DEVERR : Spec.UNSUPP;
            default -> Spec.DEVERR;
        };
    }
}
