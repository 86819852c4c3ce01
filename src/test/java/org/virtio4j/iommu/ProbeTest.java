// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** Section 5.13.6.7, PROBE request. */
class ProbeTest extends IommuTests {

    private static final int PROBE_SIZE = 128;
    private static final ReservedRegion LOW =
            new ReservedRegion(0x1234, 0x5678, ReservedRegion.Kind.RESERVED);
    private static final ReservedRegion DOORBELL =
            new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, ReservedRegion.Kind.MSI);
    private static final ReservedRegion HIGH =
            new ReservedRegion(0xffff_ffff_ffff_0000L, -1, ReservedRegion.Kind.RESERVED);

    @Test
    @DisplayName("5.13.6.7 rule 38: reserved bytes of PROBE are ignored")
    void shouldIgnoreReserved() {
        byte[] request = Requests.probe(NIC);
        Arrays.fill(request, 8, request.length, (byte) 0xff);
        Reply.assertWritten(properties(DOORBELL), Spec.OK, send(request));
    }

    @Test
    @DisplayName("5.13.6.7 rule 39: an endpoint that does not exist is not found, and no property is written")
    void shouldRejectWhenEndpointDoesNotExist() {
        Reply.assertWritten(new byte[PROBE_SIZE], Spec.NOENT, send(Requests.probe(NOBODY)));
        Reply.assertWritten(new byte[PROBE_SIZE], Spec.NOENT, send(Requests.probe(NIC | 0x1_0000)));
    }

    @Test
    @DisplayName("5.13.6.7 rule 40: without the feature PROBE is an unknown type")
    void shouldNotWriteWhenFeatureIsNotOffered() {
        IommuMachine machine = start(builder().without(Spec.F_PROBE));
        Reply.assertUnanswered(machine.send(Requests.probe(NIC), PROBE_SIZE + Spec.TAIL));
        Reply.assertUnanswered(machine.send(Requests.probe(NOBODY), PROBE_SIZE + Spec.TAIL));
    }

    @Test
    @DisplayName("5.13.6.7 rule 41: the reserved bits of a property's type are 0")
    void shouldZeroReservedBitsOfType() {
        ByteBuffer reply = littleEndian(send(Requests.probe(DISK)));
        for (int i = 0; i < 3; i++) {
            assertEquals(1, reply.getShort(24 * i) & 0xffff);
        }
    }

    @Test
    @DisplayName("5.13.6.7 rule 42: length leaves the header out, and leads to the next property")
    void shouldLeadFromPropertyToProperty() {
        ByteBuffer reply = littleEndian(send(Requests.probe(DISK)));
        int at = 0;
        for (ReservedRegion region : new ReservedRegion[] {LOW, DOORBELL, HIGH}) {
            assertEquals(20, reply.getShort(at + 2));
            assertEquals(region.start(), reply.getLong(at + 8));
            assertEquals(region.end(), reply.getLong(at + 16));
            at += reply.getShort(at + 2) + 4;
        }
        assertEquals(0, reply.getInt(at));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 27, 28, 29, 75, 76, 100, PROBE_SIZE + 3})
    @DisplayName("5.13.6.7 rule 43: with less room than probe_size PROBE is invalid and no property is written")
    void shouldRejectWhenThereIsLessRoomThanProbeSize(int room) {
        Reply reply = start(builder()).send(Requests.probe(DISK), room);
        Reply.assertWritten(new byte[room - Spec.TAIL], Spec.INVAL, reply);
    }

    @Test
    @DisplayName("5.13.6.7 rule 43, choice: with more room than needed the tail follows probe_size bytes")
    void shouldPutTailBehindProbeSizeWhenThereIsMoreRoom() {
        Reply reply = start(builder()).send(Requests.probe(DISK), PROBE_SIZE + Spec.TAIL + 100);
        Reply.assertWritten(properties(LOW, DOORBELL, HIGH), Spec.OK, reply);
        Reply.assertWritten(new byte[PROBE_SIZE], Spec.NOENT,
                start(builder()).send(Requests.probe(NOBODY), PROBE_SIZE + Spec.TAIL + 100));
    }

    @Test
    @DisplayName("5.13.6.7 rule 44: what is not filled with properties is 0")
    void shouldZeroWhatIsUnused() {
        Reply.assertWritten(properties(LOW, DOORBELL, HIGH), Spec.OK, send(Requests.probe(DISK)));
        Reply.assertWritten(properties(DOORBELL), Spec.OK, send(Requests.probe(NIC)));
        Reply.assertWritten(new byte[PROBE_SIZE], Spec.OK, send(Requests.probe(3)));
    }

    @Test
    @DisplayName("5.13.6.7: what a longer answer has written before does not show in a shorter one")
    void shouldNotShowEarlierAnswer() {
        IommuMachine machine = start(builder());
        machine.send(Requests.probe(DISK), PROBE_SIZE + Spec.TAIL);
        Reply.assertWritten(properties(DOORBELL), Spec.OK, machine.send(Requests.probe(NIC), PROBE_SIZE + Spec.TAIL));
    }

    @Test
    @DisplayName("5.13.6.7: properties may fill probe_size to its last byte, and must fit")
    void shouldFillProbeSizeExactly() {
        IommuMachine machine = start(VirtioIommu.builder().probeSize(72)
                .endpoint(DISK, ReservedRegions.of(LOW, DOORBELL, HIGH)));
        Reply.assertWritten(Arrays.copyOf(properties(LOW, DOORBELL, HIGH), 72), Spec.OK,
                machine.send(Requests.probe(DISK), 76));
        VirtioIommuBuilder small = VirtioIommu.builder().probeSize(71)
                .endpoint(DISK, ReservedRegions.of(LOW, DOORBELL, HIGH));
        assertThrows(IllegalArgumentException.class, small::build);
    }

    private Reply send(byte[] request) {
        return start(builder()).send(request, PROBE_SIZE + Spec.TAIL);
    }

    private static VirtioIommuBuilder builder() {
        return VirtioIommu.builder().bootBypass(false).probeSize(PROBE_SIZE)
                .endpoint(DISK, ReservedRegions.of(LOW, DOORBELL, HIGH))
                .endpoint(NIC, ReservedRegions.of(DOORBELL))
                .endpoint(3);
    }

    private static byte[] properties(ReservedRegion... regions) {
        ByteBuffer bytes = ByteBuffer.allocate(PROBE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (ReservedRegion region : regions) {
            bytes.putShort((short) 1).putShort((short) 20);
            bytes.putInt(region.kind() == ReservedRegion.Kind.MSI ? 1 : 0);
            bytes.putLong(region.start()).putLong(region.end());
        }
        return bytes.array();
    }

    private static ByteBuffer littleEndian(Reply reply) {
        assertEquals(Spec.OK, reply.status());
        return ByteBuffer.wrap(reply.writable()).order(ByteOrder.LITTLE_ENDIAN);
    }
}
