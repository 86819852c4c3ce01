// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Parked;

/** Section 5.2.6, requests that move data. */
class BlockReadWriteTest extends BlockTests {

    private static final int SECTORS = 1024;

    @ParameterizedTest
    @CsvSource({"0, 1", "5, 3", "1023, 1", "0, 128", "1, 129", "100, 900"})
    @DisplayName("5.2.6: IN gives the sectors; the used length counts data and status")
    void shouldReadSectors(int sector, int count) {
        BlockMachine machine = start(disk(SECTORS));
        DiskReply reply = machine.send(DiskRequests.in(sector), count * SECTOR + 1);
        assertStatus(DiskRequests.S_OK, reply);
        assertEquals(count * SECTOR + 1, reply.used());
        assertArrayEquals(Arrays.copyOfRange(contents(), sector * SECTOR, (sector + count) * SECTOR), reply.data());
        assertEquals((long) count * SECTOR, disk().counters().bytesRead());
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "5, 3", "1023, 1", "0, 128", "1, 129", "100, 900"})
    @DisplayName("5.2.6: OUT writes the sectors and no others; the used length is 1")
    void shouldWriteSectors(int sector, int count) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] expected = contents();
        byte[] data = random(7, count * SECTOR);
        System.arraycopy(data, 0, expected, sector * SECTOR, data.length);
        DiskReply reply = machine.send(DiskRequests.out(sector, data), 1);
        assertStatus(DiskRequests.S_OK, reply);
        assertEquals(1, reply.used());
        assertArrayEquals(expected, contents());
        assertEquals(data.length, disk().counters().bytesWritten());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16, 511, 513, 4096})
    @DisplayName("2.7.4: how a request is cut into descriptors has no meaning")
    void shouldServeAnyFraming(int piece) {
        BlockMachine machine = start(disk(SECTORS));
        int sectors = piece < 100 ? 0 : 12;
        byte[] data = random(piece, sectors * SECTOR);
        assertStatus(DiskRequests.S_OK, machine.send(0, DiskRequests.out(9, data), 1, piece));
        DiskReply reply = machine.send(0, DiskRequests.in(9), data.length + 1, piece);
        assertStatus(DiskRequests.S_OK, reply);
        assertArrayEquals(data, reply.data());
        DiskReply id = machine.send(0, DiskRequests.header(DiskRequests.GET_ID, 0), 21, piece);
        assertStatus(DiskRequests.S_OK, id);
    }

    @Test
    @DisplayName("5.2.6: a request goes on until all is done, however little the host transfers at once")
    void shouldGoOnAfterShortTransfers() {
        BlockMachine machine = start(disk(SECTORS));
        file().most = 300;
        byte[] data = random(3, 10 * SECTOR);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(50, data), 1));
        assertArrayEquals(data, Arrays.copyOfRange(contents(), 50 * SECTOR, 60 * SECTOR));
        assertArrayEquals(data, machine.send(DiskRequests.in(50), data.length + 1).data());
    }

    @ParameterizedTest
    @CsvSource({"1024, 1", "1023, 2", "1025, 1", "0, 1025", "9223372036854775807, 1", "-1, 1", "-1, 2",
        "36028797018963968, 1", "-9223372036854775808, 8"})
    @DisplayName("5.2.6.1: sectors beyond the capacity give IOERR and nothing is read or written")
    void shouldRefuseSectorsBeyondTheEnd(long sector, int count) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] before = contents();
        DiskReply in = machine.send(DiskRequests.in(sector), count * SECTOR + 1);
        assertStatus(DiskRequests.S_IOERR, in);
        assertTrue(in.dataUntouched());
        assertEquals(0, in.used(), "what lies before the status was not written");
        DiskReply out = machine.send(DiskRequests.out(sector, new byte[count * SECTOR]), 1);
        assertStatus(DiskRequests.S_IOERR, out);
        assertEquals(1, out.used());
        assertArrayEquals(before, contents());
        assertOutcome(BlockOutcome.OUT_OF_RANGE, 2);
        assertTrue(file().done.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 511, 513, 1023})
    @DisplayName("5.2.6.1: data that is no multiple of 512 bytes gives IOERR")
    void shouldRefusePartsOfSectors(int length) {
        BlockMachine machine = start(disk(SECTORS));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.in(0), length + 1));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(0, new byte[length]), 1));
        assertOutcome(BlockOutcome.BAD_LENGTH, 2);
        assertTrue(file().done.isEmpty());
    }

    @Test
    @DisplayName("5.2.6: no data is a multiple of 512 bytes too")
    void shouldServeRequestsOfNoData() {
        BlockMachine machine = start(disk(SECTORS));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(SECTORS), 1));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(0, new byte[0]), 1));
    }

    @Test
    @DisplayName("5.2.6.2: a read-only disk answers what writes with IOERR or UNSUPP, and writes nothing")
    void shouldWriteNothingWhenReadOnly() {
        BlockMachine machine = start(disk(SECTORS).readOnly());
        byte[] before = contents();
        assertTrue(machine.offered().has(DiskRequests.F_RO));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(0, new byte[SECTOR]), 1));
        for (int type : List.of(DiskRequests.DISCARD, DiskRequests.WRITE_ZEROES)) {
            assertStatus(DiskRequests.S_UNSUPP,
                    machine.send(DiskRequests.ranges(type, new DiskRequests.Range(0, 1, 0)), 1));
        }
        assertOutcome(BlockOutcome.READ_ONLY, 1);
        assertArrayEquals(before, contents());
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.flush(), 1));
        assertArrayEquals(Arrays.copyOf(before, SECTOR), machine.send(DiskRequests.in(0), SECTOR + 1).data());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "disk-0", "exactly 20 letters.."})
    @DisplayName("5.2.6: GET_ID gives a string of 20 bytes, filled up with zeros")
    void shouldTellItsName(String name) {
        BlockMachine machine = start(disk(SECTORS).id(name));
        DiskReply reply = machine.send(DiskRequests.header(DiskRequests.GET_ID, 0), 21);
        assertStatus(DiskRequests.S_OK, reply);
        assertEquals(21, reply.used());
        assertArrayEquals(Arrays.copyOf(name.getBytes(StandardCharsets.US_ASCII), 20), reply.data());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20, 22, 513})
    @DisplayName("5.2.6.1: the data of GET_ID has 20 bytes")
    void shouldRefuseOtherLengthsForItsName(int writable) {
        DiskReply reply = start(disk(SECTORS)).send(DiskRequests.header(DiskRequests.GET_ID, 0), writable);
        assertStatus(DiskRequests.S_IOERR, reply);
        assertTrue(reply.dataUntouched());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5, 7, 9, 10, 12, 14, 15, 16, 26, 0x100, -1, Integer.MIN_VALUE})
    @DisplayName("5.2.6: a type that the device does not know gets UNSUPP")
    void shouldNotSupportUnknownTypes(int type) {
        DiskReply reply = start(disk(SECTORS)).send(DiskRequests.header(type, 0), SECTOR + 1);
        assertStatus(DiskRequests.S_UNSUPP, reply);
        assertTrue(reply.dataUntouched());
        assertEquals(0, reply.used());
        assertOutcome(BlockOutcome.UNKNOWN_TYPE, 1);
    }

    @Test
    @DisplayName("2.7.13.3: a driver that wants to be told is interrupted when its request is done")
    void shouldInterruptWhenDone() {
        BlockMachine machine = start(disk(SECTORS));
        int before = machine.interrupts();
        machine.add(0, DiskRequests.in(0), SECTOR + 1, 1000);
        machine.kick(0);
        // Not looking at the ring meanwhile, for whoever has seen the answer wants no interrupt for it any more.
        Parked.until(() -> machine.interrupts() == before + 1);
        assertStatus(DiskRequests.S_OK, machine.await(0));
    }
}
