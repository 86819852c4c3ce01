// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Parked;

/** Requests no decent driver makes: each comes back, harms nobody, and the next one is served. */
class BlockHostileTest extends BlockTests {

    private static final int SECTORS = 256;

    /** Far from all RAM, and mapped to nothing behind an IOMMU. */
    private static final long NOWHERE = 0x7fff_0000_0000L;

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 8, 15})
    @DisplayName("5.2.6: a request that is shorter than a header gets IOERR")
    void shouldRefuseShortHeaders(int length) {
        BlockMachine machine = start(disk(SECTORS));
        DiskReply reply = machine.send(new byte[length], SECTOR + 1);
        assertStatus(DiskRequests.S_IOERR, reply);
        assertTrue(reply.dataUntouched());
        assertOutcome(BlockOutcome.NO_HEADER, 1);
        assertStillServes(machine);
    }

    @Test
    @DisplayName("5.2.6: a request with no readable part gets IOERR")
    void shouldRefuseRequestsOfNoHeader() {
        BlockMachine machine = start(disk(SECTORS));
        assertStatus(DiskRequests.S_IOERR, machine.send(new byte[0], 1));
        assertStillServes(machine);
    }

    @Test
    @DisplayName("5.2.6: a request with no room for a status is not carried out and goes back unwritten")
    void shouldReturnRequestsOfNoStatusUnwritten() {
        BlockMachine machine = start(disk(SECTORS));
        byte[] before = contents();
        DiskReply reply = machine.send(DiskRequests.out(0, new byte[SECTOR]), 0);
        assertEquals(0, reply.used());
        assertArrayEquals(before, contents());
        assertOutcome(BlockOutcome.NO_STATUS, 1);
        assertStillServes(machine);
    }

    @Test
    @DisplayName("5.2.6: the status is the last writable byte, and a used length never says more than was written")
    void shouldWriteStatusLast() {
        BlockMachine machine = start(disk(SECTORS));
        DiskReply reply = machine.send(DiskRequests.out(0, new byte[SECTOR]), 100);
        assertStatus(DiskRequests.S_OK, reply);
        assertTrue(reply.dataUntouched());
        assertEquals(0, reply.used());
    }

    @Test
    @DisplayName("A buffer that leads nowhere gets IOERR, and one for the status is given up; both are counted")
    void shouldSurviveBuffersThatLeadNowhere() {
        BlockMachine machine = start(disk(SECTORS));
        byte[] before = contents();
        byte[] in = DiskRequests.in(0);
        machine.area().write(0, in, 0, in.length);
        machine.addAt(0, NOWHERE, 16, machine.address(0x1000), 1);
        machine.addAt(0, machine.address(0), 16, NOWHERE, SECTOR + 1);
        byte[] out = DiskRequests.out(0, new byte[0]);
        machine.area().write(0x2000, out, 0, out.length);
        machine.addAt(0, machine.address(0x2000), 16, NOWHERE, 1);
        machine.kick(0);
        assertEquals(1, machine.await(0).used());
        assertEquals(DiskRequests.S_IOERR, machine.area().u8(0x1000));
        assertEquals(0, machine.await(0).used());
        assertEquals(0, machine.await(0).used());
        assertOutcome(BlockOutcome.MEMORY, 2);
        assertEquals(2, disk().counters().unwritableStatuses());
        assertArrayEquals(before, contents());
        assertStillServes(machine);
    }

    @Test
    @DisplayName("Data that ends nowhere gets IOERR; what was copied before may be written, in whole sectors")
    void shouldWriteWholeSectorsOnly() {
        BlockMachine machine = start(disk(SECTORS));
        byte[] expected = contents();
        byte[] reachable = Arrays.copyOf(DiskRequests.out(3, random(2, 65_536)), 16 + 65_536 + 700);
        machine.addAt(0, machine.atTheEnd(reachable), 16 + 65_536 + 2 * SECTOR, machine.address(0), 1);
        machine.kick(0);
        machine.await(0);
        assertEquals(DiskRequests.S_IOERR, machine.area().u8(0));
        System.arraycopy(reachable, 16, expected, 3 * SECTOR, 65_536);
        assertArrayEquals(expected, contents());
        assertOutcome(BlockOutcome.MEMORY, 1);
        assertStillServes(machine);
    }

    @Test
    @DisplayName("Random requests: each comes back, and the disk has changed only where a write was answered")
    void shouldSurviveRandomRequests() {
        Random random = new Random(seed());
        BlockMachine machine = start(disk(SECTORS));
        for (int i = 0; i < 200; i++) {
            byte[] request = new byte[random.nextInt(4) == 0 ? random.nextInt(80) : 16 + 16 * random.nextInt(70)];
            random.nextBytes(request);
            if (request.length >= 16) {
                request[0] = (byte) random.nextInt(16);
                request[1] = 0;
                request[2] = 0;
                request[3] = 0;
                Arrays.fill(request, 9, 16, (byte) (random.nextInt(20) == 0 ? -1 : 0));
            }
            int writable = random.nextInt(5) * 256 + random.nextInt(3);
            DiskReply reply = machine.send(0, request, request.length == 0 ? writable + 1 : writable,
                    request.length > 1000 ? 512 : 40 + random.nextInt(500));
            assertTrue(reply.used() <= reply.writable().length, reply.toString());
            assertTrue(reply.writable().length == 0 || reply.status() <= DiskRequests.S_UNSUPP, reply.toString());
        }
        assertEquals(SECTORS * SECTOR, contents().length);
        assertStillServes(machine);
    }

    @Test
    @DisplayName("2.1.2: a broken ring stops its queue and sets DEVICE_NEEDS_RESET; a reset helps")
    void shouldNeedAResetWhenRingIsBroken() {
        BlockMachine machine = start(disk(SECTORS));
        machine.queue(0).memory().availableRing().putU16(2, 1000);
        machine.transport().notifyQueue(0);
        Parked.until(() -> (machine.transport().status() & 0x40) != 0);
        machine.start();
        assertStillServes(machine);
    }

    private void assertStillServes(BlockMachine machine) {
        DiskReply reply = machine.send(DiskRequests.in(1), SECTOR + 1);
        assertStatus(DiskRequests.S_OK, reply);
        assertArrayEquals(Arrays.copyOfRange(contents(), SECTOR, 2 * SECTOR), reply.data());
    }
}
