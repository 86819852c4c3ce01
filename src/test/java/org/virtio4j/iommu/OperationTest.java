// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaHandle;

/** Section 5.13.6, device operations: what all requests have in common. */
class OperationTest extends IommuTests {

    private static final int PROBE_SIZE = 512;

    @DisplayName("5.13.6 rule 8: a request that succeeds is answered with OK")
    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    void shouldAnswerOkWhenRequestSucceeds(int type) {
        IommuMachine machine = start();
        if (type != Spec.ATTACH && type != Spec.PROBE) {
            machine.ok(Requests.attach(ONE, DISK));
        }
        Reply reply = machine.send(Requests.ofType(type), Spec.TAIL + (type == Spec.PROBE ? PROBE_SIZE : 0));
        assertEquals(Spec.OK, reply.status());
        assertEquals(Spec.TAIL + (type == Spec.PROBE ? PROBE_SIZE : 0), reply.usedLength());
    }

    @DisplayName("5.13.6 rule 9: an unknown type goes back unwritten, with used length 0")
    @ParameterizedTest
    @ValueSource(ints = {0, 6, 7, 8, 0x7f, 0x80, 0x81, 0xff})
    void shouldNotWriteWhenTypeIsUnknown(int type) {
        IommuMachine machine = start();
        for (int length : new int[] {4, 20, 36, 72, 100}) {
            byte[] request = new byte[length];
            request[0] = (byte) type;
            Reply.assertUnanswered(machine.send(request, Spec.TAIL));
            Reply.assertUnanswered(machine.send(request, PROBE_SIZE + Spec.TAIL));
        }
        assertEquals(10, machine.iommu().counters().unanswered());
    }

    @DisplayName("5.13.6 rule 9: a type whose feature was not negotiated is unknown")
    @ParameterizedTest
    @ValueSource(ints = {Spec.MAP, Spec.UNMAP, Spec.PROBE})
    void shouldNotWriteWhenFeatureOfTypeWasNotNegotiated(int type) {
        IommuMachine machine = powerOn(iommu());
        machine.start(machine.offered().without(type == Spec.PROBE ? Spec.F_PROBE : Spec.F_MAP_UNMAP));
        machine.ok(Requests.attach(ONE, DISK));
        Reply.assertUnanswered(machine.send(Requests.ofType(type), PROBE_SIZE + Spec.TAIL));
    }

    @DisplayName("5.13.6 rule 10: reserved bytes of the head are ignored, those of the tail are 0")
    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    void shouldIgnoreReservedOfHeadAndZeroReservedOfTail(int type) {
        IommuMachine machine = start();
        if (type != Spec.ATTACH) {
            machine.ok(Requests.attach(ONE, DISK));
        }
        int properties = type == Spec.PROBE ? PROBE_SIZE : 0;
        Reply reply = machine.send(Requests.with(Requests.ofType(type), 1, 0xff, 0x80, 0x01), properties + Spec.TAIL);
        // Byte for byte: the status, then three zeros where other bytes were before.
        Reply.assertWritten(new byte[properties], Spec.OK, reply);
    }

    @DisplayName("5.13.6 rule 10: reserved bytes of the tail are 0 with a refusal too")
    @ParameterizedTest
    @ValueSource(ints = {Spec.DETACH, Spec.MAP, Spec.UNMAP})
    void shouldZeroReservedOfTailWhenRequestIsRefused(int type) {
        Reply reply = start().send(Requests.ofType(type), Spec.TAIL);
        Reply.assertStatus(type == Spec.DETACH ? Spec.INVAL : Spec.NOENT, reply);
    }

    @DisplayName("5.13.6 rule 11: a readable part one byte too short goes back unwritten")
    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    void shouldNotWriteWhenReadablePartIsTooShort(int type) {
        IommuMachine machine = start();
        for (int length = 0; length < Spec.readableSize(type); length++) {
            Reply.assertUnanswered(machine.send(Arrays.copyOf(Requests.ofType(type), length), PROBE_SIZE + Spec.TAIL));
        }
        assertBlocked(machine, DISK);
    }

    @DisplayName("5.13.6 rule 11: a writable part without room for the tail goes back unwritten")
    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP, Spec.PROBE})
    void shouldNotWriteWhenWritablePartIsTooShort(int type) {
        IommuMachine machine = start();
        for (int length = 0; length < Spec.TAIL; length++) {
            Reply.assertUnanswered(machine.send(Requests.ofType(type), length));
        }
        assertBlocked(machine, DISK);
    }

    @DisplayName("5.13.6, choice: a request longer than its type, with more room than it needs, is served")
    @ParameterizedTest
    @ValueSource(ints = {Spec.ATTACH, Spec.DETACH, Spec.MAP, Spec.UNMAP})
    void shouldServeWhenRequestIsLargerThanNeeded(int type) {
        IommuMachine machine = start();
        if (type != Spec.ATTACH) {
            machine.ok(Requests.attach(ONE, DISK));
        }
        byte[] longer = Arrays.copyOf(Requests.ofType(type), 1000);
        Arrays.fill(longer, Spec.readableSize(type), longer.length, (byte) 0xff);
        Reply.assertStatus(Spec.OK, machine.send(longer, 1000));
    }

    @Test
    @DisplayName("Counters say how many addresses devices looked up, and how many of them they knew")
    void shouldCountTranslationsOfEndpoints() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x2fff, IommuMachine.FREE_RAM));
        DmaHandle handle = machine.dma(DISK);
        handle.enter();
        Dma.assertReads(handle, 0x1000, 8, 0);
        Dma.assertReads(handle, 0x2ff8, 8, 0);
        handle.leave();
        assertEquals(2, machine.iommu().counters().translations());
        assertEquals(1, machine.iommu().counters().cacheHits());
    }
}
