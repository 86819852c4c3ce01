// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.fixture.WhenMapping;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Memory that is away while it is exchanged: what was asked for is done once, and the driver hears of it. */
class ExchangedMemoryTest extends IommuTests {

    private static final int RINGS = 0;
    private static final int DATA = 1;
    private static final int NEEDS_RESET = 0x40;

    private final AtomicBoolean going = new AtomicBoolean();
    private @Nullable ExchangedRam ram;
    private int maps;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.8.2: what is done while the ring is away, before or after it was given back, is published later")
    void shouldPublishAnswersWhenTheRingIsBack(boolean completed) {
        IommuMachine machine = machine(iommu().mappingListener(new WhenMapping(() -> {
            maps++;
            if (!completed) {
                leave();
            }
        })).listener(WhenServed.does((type, status, removed) -> {
            if (completed) {
                leave();
            }
        })));
        machine.ok(Requests.attach(ONE, DISK));
        going.set(true);
        for (int i = 0; i < 3; i++) {
            long at = 0x10_0000L + i * 0x1000L;
            byte[] request = Requests.map(ONE, at, at + 0xfff, 0x8000);
            machine.place(i, request, Spec.TAIL);
            machine.add(i, request, Spec.TAIL);
        }
        machine.driver().kick(machine.requests());
        giveBack(machine, RINGS);
        for (int i = 0; i < 3; i++) {
            assertTrue(machine.requests().poll(), "an answer is missing");
            assertEquals(Spec.OK, machine.take(Spec.TAIL).status());
        }
        assertEquals(3, maps);
        assertEquals(3, machine.iommu().liveMappings());
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
        machine.ok(Requests.unmap(ONE, 0, -1));
    }

    @Test
    @DisplayName("A MAP that was taken but whose bytes are away is carried out once, when they are back")
    void shouldCarryOutOnceWhatCouldNotBeRead() {
        IommuMachine machine = machine(iommu().mappingListener(new WhenMapping(() -> maps++)));
        machine.ok(Requests.attach(ONE, DISK));
        byte[] request = Requests.map(ONE, 0x1000, 0x1fff, 0x8000);
        long at = IommuMachine.REGION_BORDER;
        machine.ram().view(at, request.length).write(0, request, 0, request.length);
        assertTrue(machine.requests().add(0, at, request.length, at + 0x100, Spec.TAIL));
        ram().takeAway(DATA);
        machine.driver().kick(machine.requests());
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        machine.memoryChanged();
        assertEquals(0, maps);
        assertFalse(machine.requests().poll());
        giveBack(machine, DATA);
        assertTrue(machine.requests().poll());
        assertEquals(1, maps);
        assertEquals(1, machine.iommu().liveMappings());
        assertEquals(Spec.OK, machine.ram().u8(at + 0x100));
        machine.ok(Requests.unmap(ONE, 0, -1));
    }

    @Test
    @DisplayName("5.13.6.9: faults that came while the event queue was away are reported when it is back, each once")
    void shouldReportFaultsWhenTheEventQueueIsBack() {
        IommuMachine machine = machine(iommu());
        machine.ok(Requests.attach(ONE, DISK));
        machine.addEventBuffers(4, Spec.FAULT_SIZE);
        machine.dma(DISK);
        ram().takeAway(RINGS);
        machine.touch(DISK, 0x5000, Access.READ);
        machine.touch(DISK, 0x6000, Access.WRITE);
        giveBack(machine, RINGS);
        assertEquals(2, machine.takeEvents().size());
        machine.touch(DISK, 0x7000, Access.WRITE);
        assertEquals(1, machine.takeEvents().size());
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    @DisplayName("2.7.8.2: a batch is given back when the memory of all answers is there; each request is done once")
    void shouldAnswerWhenTheMemoryOfTheReplyIsBack(int elsewhere) {
        IommuMachine machine = machine(iommu().mappingListener(new WhenMapping(() -> maps++)));
        machine.ok(Requests.attach(ONE, DISK));
        long at = IommuMachine.REGION_BORDER + 0x101;
        machine.fill(at, Spec.TAIL, Reply.UNTOUCHED);
        addMaps(machine, elsewhere, at);
        ram().takeAway(DATA);
        machine.driver().kick(machine.requests());
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        machine.memoryChanged();
        assertEquals(3, maps, "they wait for their answers, not to be carried out");
        assertFalse(machine.requests().poll(), "given back without its answer");
        giveBack(machine, DATA);
        for (int i = 0; i < 3; i++) {
            assertTrue(machine.requests().poll(), "an answer is missing");
            assertEquals(i, machine.requests().usedToken());
            assertEquals(Spec.TAIL, machine.requests().usedLength());
            assertEquals(Spec.OK, i == elsewhere ? machine.ram().u8(at) : machine.statusIn(i, 0));
        }
        assertEquals(3, maps);
        assertEquals(3, machine.iommu().liveMappings());
        assertEquals(0, machine.iommu().counters().unwritableReplies());
        machine.ok(Requests.unmap(ONE, 0, -1));
    }

    @Test
    @DisplayName("The answer to a PROBE whose memory was away in part is whole when that is back")
    void shouldWriteAllOfAProbesAnswer() {
        IommuMachine machine = machine(iommu().reserved(ReservedRegions.X86_MSI).probeSize(128));
        byte[] probe = Requests.probe(DISK);
        int length = (int) machine.transport().readConfig(Spec.CONFIG_PROBE_SIZE, 4) + Spec.TAIL;
        Reply expected = machine.send(probe, length);
        long at = IommuMachine.REGION_BORDER - 16;
        machine.fill(at, length, Reply.UNTOUCHED);
        machine.place(0, probe, length);
        machine.addAnsweredAt(0, probe, at, length);
        ram().takeAway(DATA);
        machine.driver().kick(machine.requests());
        assertFalse(machine.requests().poll());
        giveBack(machine, DATA);
        assertTrue(machine.requests().poll());
        byte[] bytes = new byte[length];
        machine.ram().view(at, length).read(0, bytes, 0, length);
        assertEquals(expected.toString(), new Reply(machine.requests().usedLength(), bytes).toString());
    }

    @Test
    @DisplayName("2.7.8.2: where the memory does not come back, the used length says that there is no answer")
    void shouldGiveBackUnansweredWhatHasNoMemoryAnyMore() {
        IommuMachine machine = machine(iommu().mappingListener(new WhenMapping(() -> maps++)));
        machine.ok(Requests.attach(ONE, DISK));
        addMaps(machine, 1, IommuMachine.REGION_BORDER);
        ram().takeAway(DATA);
        machine.driver().kick(machine.requests());
        assertFalse(machine.requests().poll());
        ram().giveUp();
        machine.memoryChanged();
        for (int i = 0; i < 3; i++) {
            assertTrue(machine.requests().poll(), "an answer is missing");
            assertEquals(i == 1 ? 0 : Spec.TAIL, machine.requests().usedLength());
        }
        assertEquals(3, maps);
        assertEquals(1, machine.iommu().counters().unwritableReplies());
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    @Test
    @DisplayName("2.4.1: a reset drops the answers that wait for memory; not a byte of them is written afterwards")
    void shouldDropWhatWaitsWhenReset() {
        IommuMachine machine = machine(iommu());
        machine.ok(Requests.attach(ONE, DISK));
        long at = IommuMachine.REGION_BORDER;
        machine.fill(at, Spec.TAIL, Reply.UNTOUCHED);
        addMaps(machine, 2, at);
        ram().takeAway(DATA);
        machine.driver().kick(machine.requests());
        machine.resetDevice();
        giveBack(machine, DATA);
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.memoryChanged();
        assertTrue(machine.isFilled(at, Spec.TAIL, Reply.UNTOUCHED), "the answer to a request of before the reset");
        assertEquals(0, machine.iommu().liveMappings());
    }

    @Test
    @DisplayName("5.13.6.9: a fault whose buffer is away is reported when that is back, and the one after it, too")
    void shouldReportFaultsWhenTheirBuffersAreBack() {
        IommuMachine machine = machine(iommu());
        machine.ok(Requests.attach(ONE, DISK));
        long at = IommuMachine.REGION_BORDER;
        assertTrue(machine.events().add(0, 0, 0, at, Spec.FAULT_SIZE));
        machine.events().publish();
        machine.dma(DISK);
        ram().takeAway(DATA);
        machine.touch(DISK, 0x5000, Access.READ);
        machine.touch(DISK, 0x6000, Access.READ);
        assertFalse(machine.events().poll(), "given back without its report");
        giveBack(machine, DATA);
        assertTrue(machine.events().poll());
        assertEquals(Spec.FAULT_SIZE, machine.events().usedLength());
        assertEquals(0x5000, machine.ram().i64(at + 16));
        machine.addEventBuffers(2, Spec.FAULT_SIZE);
        machine.touch(DISK, 0x7000, Access.READ);
        assertEquals(2, machine.takeEvents().size());
        assertEquals(0, machine.iommu().counters().lostFaults());
    }

    /** Adds three MAPs, of which the answer to one goes to a place of the test's. */
    private static void addMaps(IommuMachine machine, int which, long place) {
        for (int i = 0; i < 3; i++) {
            long at = 0x10_0000L + i * 0x1000L;
            byte[] request = Requests.map(ONE, at, at + 0xfff, 0x8000);
            machine.place(i, request, Spec.TAIL);
            if (i == which) {
                machine.addAnsweredAt(i, request, place, Spec.TAIL);
            } else {
                machine.add(i, request, Spec.TAIL);
            }
        }
    }

    private IommuMachine machine(VirtioIommuBuilder builder) {
        return keep(new IommuMachine(transport, builder.build(), memory ->
                ram = new ExchangedRam(memory, IommuMachine.REGION_BORDER, IommuMachine.RAM_END))).start();
    }

    private ExchangedRam ram() {
        return Objects.requireNonNull(ram);
    }

    private void leave() {
        if (going.getAndSet(false)) {
            ram().takeAway(RINGS);
        }
    }

    private void giveBack(IommuMachine machine, int region) {
        assertFalse(going.get(), "nothing was taken away");
        ram().giveBack(region);
        machine.memoryChanged();
    }
}
