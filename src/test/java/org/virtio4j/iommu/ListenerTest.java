// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Mirrors of the mappings: asked first, and all or nothing. */
class ListenerTest extends IommuTests {

    private final List<String> calls = new ArrayList<>();
    private final Mirrored first = new Mirrored("first");
    private final Mirrored second = new Mirrored("second");

    @Test
    void shouldAnnounceMappingsBeforeTheyAreMadeAndRemoved() {
        IommuMachine[] machine = new IommuMachine[1];
        List<Seen> seen = new ArrayList<>();
        first.before = () -> seen.add(machine[0].see(DISK, 0x1000, Access.READ));
        machine[0] = attached();
        machine[0].ok(Requests.map(ONE, 0x1000, 0x2fff, 0x8000, Spec.MAP_F_READ));
        machine[0].ok(Requests.unmap(ONE, 0, -1));
        assertEquals(List.of("first attach 8 1", "second attach 8 1", "first map 1 1000 2fff 8000 1",
                "second map 1 1000 2fff 8000 1", "second unmap 1 0 ffffffffffffffff",
                "first unmap 1 0 ffffffffffffffff"), calls);
        assertEquals(List.of(Seen.refused(TranslateResult.NO_MAPPING),
                Seen.refused(TranslateResult.NO_MAPPING)), seen);
    }

    @ParameterizedTest
    @CsvSource({"FAILED, 3", "NO_ROOM, 8"})
    @DisplayName("A refused MAP is DEVERR, or NOMEM for lack of room, and nobody keeps anything")
    void shouldUndoWhenLaterListenerRefusesMap(Answer refusal, int status) {
        IommuMachine machine = attached();
        machine.ok(Requests.map(ONE, 0x8000, 0x8fff, 0));
        calls.clear();
        second.refuseAt(1, refusal);
        assertEquals(status, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)));
        assertEquals(List.of("first map 1 1000 1fff 8000 3", "second map 1 1000 1fff 8000 3",
                "first unmap 1 1000 1fff"), calls);
        assertAgree(machine, 1);
        assertUnmapped(machine, DISK, 0x1000);
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertAgree(machine, 2);
    }

    @Test
    void shouldNotAskOthersWhenFirstListenerRefusesMap() {
        IommuMachine machine = attached();
        calls.clear();
        first.refuseAt(1, Answer.FAILED);
        assertEquals(Spec.DEVERR, machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0x8000)));
        assertEquals(List.of("first map 1 1000 1fff 8000 3"), calls);
        assertAgree(machine, 0);
    }

    @ParameterizedTest
    @EnumSource(names = "DONE", mode = EnumSource.Mode.EXCLUDE)
    @DisplayName("An UNMAP cannot be undone: a mirror that does not carry it out is expelled, and no DMA passes")
    void shouldExpelListenerThatRefusesUnmap(Answer refusal) {
        for (Mirrored refusing : new Mirrored[] {first, second}) {
            calls.clear();
            IommuMachine machine = attached();
            machine.ok(Requests.attach(TWO, NIC));
            for (int page = 1; page <= 3; page++) {
                machine.ok(Requests.map(ONE, page * 0x2000L, page * 0x2000L + 0xfff, page * 0x1_0000L, page));
            }
            refusing.refuseAt(1, refusal);
            assertEquals(Spec.DEVERR, machine.status(Requests.unmap(ONE, 0x2000, 0x2fff)));
            assertEquals(refusing.name + " expelled", calls.stream().filter(call -> call.endsWith("expelled"))
                    .findFirst().orElse("nobody"));
            assertBlocked(machine, DISK);
            assertBlocked(machine, NIC);
            assertEquals(0, machine.iommu().liveMappings());
            Mirrored other = refusing == first ? second : first;
            assertEquals(Map.of(), other.mappings);
            assertEquals(Map.of(), other.attached);
            assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, DISK)));
            assertEquals(Spec.NOENT, machine.status(Requests.attach(ONE, NOBODY)));
            machine.iommu().leave(refusing);
            machine.ok(Requests.attach(ONE, DISK));
            machine.ok(Requests.map(ONE, 0x2000, 0x2fff, 0x8000));
            assertEquals(1, other.mappings.size());
            first.forget();
            second.forget();
        }
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("A mirror that does not take everything back at a reset is expelled; its endpoints stay blocked")
    void shouldExpelListenerThatRefusesAtReset(ResetKind kind) {
        IommuMachine machine = start(builder().bootBypass(true));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        first.refuseAt(1, Answer.FAILED);
        machine.reset(kind);
        machine.iommu().endpointReset(DISK);
        assertBlocked(machine, DISK);
        assertBlocked(machine, NIC);
        machine.reset(kind);
        assertBlocked(machine, DISK);
        assertEquals(Map.of(), second.mappings);
        machine.iommu().leave(first);
        machine.iommu().endpointReset(DISK);
        assertEquals(TranslateResult.OK, machine.see(DISK, 0x1234, Access.READ).result());
    }

    @Test
    @DisplayName("Who is refused by the rules is refused before anybody is asked")
    void shouldNotAskWhenRequestIsInvalid() {
        IommuMachine machine = start(builder().maxMappings(2));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x2fff, 0x8000));
        machine.ok(Requests.map(ONE, 0x5000, 0x5fff, 0x8000));
        calls.clear();
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x2000, 0x2fff, 0)));
        assertEquals(Spec.NOMEM, machine.status(Requests.map(ONE, 0x7000, 0x7fff, 0)));
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, 0x7001, 0x7fff, 0)));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0x7000, 0x7fff, 0, 8)));
        assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, 0xfee0_0000L, 0xfee0_0fffL, 0)));
        assertEquals(Spec.NOENT, machine.status(Requests.map(TWO, 0x7000, 0x7fff, 0)));
        assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, 0, 0x1fff)));
        assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, 0x2000, 0x5fff)));
        assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, 0x5000, 0)));
        machine.ok(Requests.unmap(ONE, 0x3000, 0x4fff));
        assertEquals(List.of(), calls);
        assertAgree(machine, 2);
    }

    @Test
    void shouldAnnounceTheEndOfDomainWhenLastEndpointLeaves() {
        IommuMachine machine = attached();
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        calls.clear();
        machine.ok(Requests.attach(TWO, DISK));
        assertEquals(List.of("first attach 8 2", "second attach 8 2", "second detached 8 1", "first detached 8 1"),
                calls);
        calls.clear();
        machine.ok(Requests.detach(ONE, NIC));
        assertEquals(List.of("second unmap 1 0 ffffffffffffffff", "second detached 9 1",
                "first unmap 1 0 ffffffffffffffff", "first detached 9 1"), calls);
        assertAgree(machine, 0);
    }

    @Test
    @DisplayName("The end of a domain cannot be refused")
    void shouldEndDomainWhateverListenersSay() {
        IommuMachine machine = attached();
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        first.refuseAt(1, Answer.FAILED);
        machine.ok(Requests.detach(ONE, DISK));
        assertBlocked(machine, DISK);
        assertEquals(0, machine.iommu().liveMappings());
        assertEquals(Map.of(), second.mappings);
    }

    @Test
    void shouldAnnounceEverythingWhenReset() {
        for (ResetKind kind : ResetKind.values()) {
            IommuMachine machine = attached();
            machine.ok(Requests.attachBypass(TWO, NIC));
            machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
            machine.ok(Requests.map(ONE, 0x3000, 0x3fff, 0x9000));
            machine.reset(kind);
            assertAgree(machine, 0);
            assertEquals(Map.of(), first.attached);
            assertEquals(Map.of(), second.attached);
        }
    }

    @Test
    void shouldSayNothingWhenAttachChangesNothing() {
        IommuMachine machine = attached();
        calls.clear();
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, NIC)));
        assertEquals(Spec.INVAL, machine.status(Requests.detach(ONE, NIC)));
        assertEquals(List.of(), calls);
    }

    @Test
    void shouldExpelListenerThatThrowsWhenItIsExpelled() {
        FaultyMirror faulty = new FaultyMirror();
        faulty.throwsWhenExpelled = true;
        IommuMachine machine = start(iommu().mappingListener(faulty, DISK));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        faulty.failAt(1, FaultyMirror.Fault.FAILED);
        assertThrows(FaultyMirror.Thrown.class, () -> machine.send(Requests.unmap(ONE, 0x1000, 0x1fff)));
        assertBlocked(machine, DISK);
        assertEquals(0, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("A callback cannot change what is being walked")
    void shouldRefuseChangesFromCallback() {
        List<Class<?>> refused = new ArrayList<>();
        IommuMachine[] machine = new IommuMachine[1];
        first.before = () -> {
            VirtioIommu iommu = machine[0].iommu();
            for (Runnable change : List.<Runnable>of(() -> iommu.leave(first), () -> iommu.join(new FaultyMirror()),
                    () -> iommu.unplug(NIC), () -> iommu.plug(NOBODY, ReservedRegions.NONE), () -> iommu.claim(NIC))) {
                refused.add(assertThrows(IllegalStateException.class, change::run).getClass());
            }
        };
        machine[0] = attached();
        machine[0].ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertEquals(5, refused.size());
        first.before = () -> { };
    }

    private IommuMachine attached() {
        IommuMachine machine = start(builder());
        machine.ok(Requests.attach(ONE, DISK));
        return machine;
    }

    private VirtioIommuBuilder builder() {
        return iommu().reserved(ReservedRegions.X86_MSI).mappingListener(first).mappingListener(second);
    }

    private void assertAgree(IommuMachine machine, int mappings) {
        assertEquals(mappings, machine.iommu().liveMappings());
        assertEquals(mappings, first.mappings.size());
        assertEquals(first.mappings, second.mappings);
    }

    /** A mirror that writes down what it was asked, and can be told to refuse. */
    private final class Mirrored implements MappingListener {

        private final String name;
        private final Map<String, String> mappings = new TreeMap<>();
        private final Map<Integer, Integer> attached = new TreeMap<>();
        private Runnable before = () -> { };
        private int refusedCall;
        private Answer refusal = Answer.DONE;

        Mirrored(String name) {
            this.name = name;
        }

        /** The call of that number from here on, counted from 1, is refused. */
        void refuseAt(int call, Answer answer) {
            refusedCall = call;
            refusal = answer;
        }

        void forget() {
            mappings.clear();
            attached.clear();
        }

        @Override
        public void expelled() {
            calls.add(name + " expelled");
        }

        @Override
        public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
            before.run();
            String range = domain + " " + hex(virtStart) + " " + hex(virtEnd);
            calls.add(name + " map " + range + " " + hex(physStart) + " " + flags);
            if (--refusedCall == 0) {
                return refusal;
            }
            mappings.put(range, hex(physStart) + " " + flags);
            return Answer.DONE;
        }

        @Override
        public Answer unmap(int domain, long virtStart, long virtEnd) {
            before.run();
            String range = domain + " " + hex(virtStart) + " " + hex(virtEnd);
            calls.add(name + " unmap " + range);
            if (--refusedCall == 0) {
                return refusal;
            }
            mappings.keySet().removeIf(each -> inside(each, domain, virtStart, virtEnd));
            return Answer.DONE;
        }

        @Override
        public Answer attach(int endpoint, int domain, boolean bypass) {
            calls.add(name + " attach " + endpoint + " " + domain);
            attached.put(endpoint, domain);
            return Answer.DONE;
        }

        @Override
        public void detached(int endpoint, int domain) {
            calls.add(name + " detached " + endpoint + " " + domain);
            attached.remove(endpoint, domain);
        }

        private static boolean inside(String mapping, int domain, long virtStart, long virtEnd) {
            try (Scanner words = new Scanner(mapping)) {
                return words.nextInt() == domain
                        && Long.compareUnsigned(Long.parseUnsignedLong(words.next(), 16), virtStart) >= 0
                        && Long.compareUnsigned(Long.parseUnsignedLong(words.next(), 16), virtEnd) <= 0;
            }
        }

        private static String hex(long address) {
            return Long.toHexString(address);
        }
    }
}
