// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.vmm.GuestMemory;

/**
 * The ring is there, and the memory of a request's data or status is not, for as long as it is exchanged: a vfio-user
 * client takes a window away and puts it back. What was asked for is done once, and comes back with its answer.
 */
class ExchangedDataTest extends BlockTests {

    private static final int DATA = 1;
    private static final long BORDER = BlockMachine.RAM_END / 2;
    private static final int NEEDS_RESET = 0x40;
    private static final int USED = SECTOR + 1;

    private @Nullable ExchangedRam ram;

    /** Which of a read's two buffers is away. */
    enum Away {
        DATA_IN(true, false), STATUS(false, true), BOTH(true, true);

        final boolean data;
        final boolean status;

        Away(boolean data, boolean status) {
            this.data = data;
            this.status = status;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.2.6: a read whose data or status has no memory for a while comes back with both")
    void shouldAnswerReadsWhenMemoryIsBack(Away away) {
        BlockMachine machine = exchanging(build(disk(8).servedInKicks()));
        byte[] expected = contents();
        int header = place(machine, DiskRequests.in(3), false);
        int data = page(machine, 1, away.data);
        int status = page(machine, 2, away.status);
        addRead(machine, header, data, status);
        ram().takeAway(DATA);
        machine.kick(0);
        machine.transport().notifyQueue(0);
        assertFalse(machine.queue(0).poll(), "given back without its answer");
        giveBack(machine);
        assertTrue(machine.queue(0).poll(), "not given back");
        assertEquals(USED, machine.queue(0).usedLength());
        assertArrayEquals(sector(expected, 3), bytes(machine, data, SECTOR));
        assertEquals(DiskRequests.S_OK, bytes(machine, status, 1)[0]);
        assertEquals(1, disk().counters().outcomes(BlockOutcome.OK));
        assertGoesOn(machine);
    }

    @Test
    @DisplayName("5.2.6: a write whose status has no memory for a while is made once")
    void shouldWriteOnceWhenTheStatusWaits() {
        BlockMachine machine = exchanging(build(disk(8).servedInKicks()));
        byte[] sector = random(9, SECTOR);
        int request = place(machine, DiskRequests.out(5, sector), false);
        int status = page(machine, 2, true);
        assertTrue(machine.queue(0).add(0, machine.address(request), 16 + SECTOR, machine.address(status), 1));
        ram().takeAway(DATA);
        machine.kick(0);
        machine.transport().notifyQueue(0);
        machine.memoryChanged();
        assertFalse(machine.queue(0).poll(), "given back without its status");
        assertEquals(1, Collections.frequency(file().done, Operation.WRITE));
        giveBack(machine);
        assertTrue(machine.queue(0).poll(), "not given back");
        assertEquals(1, machine.queue(0).usedLength());
        assertEquals(DiskRequests.S_OK, bytes(machine, status, 1)[0]);
        assertEquals(1, Collections.frequency(file().done, Operation.WRITE));
        assertArrayEquals(sector, sector(contents(), 5));
        assertGoesOn(machine);
    }

    @Test
    @DisplayName("2.7.8.2: where the memory does not come back, the used length says that there is no status")
    void shouldGiveBackUnansweredWhatHasNoMemoryAnyMore() {
        BlockMachine machine = exchanging(build(disk(8).servedInKicks()));
        int header = place(machine, DiskRequests.in(3), false);
        addRead(machine, header, page(machine, 1, false), page(machine, 2, true));
        ram().takeAway(DATA);
        machine.kick(0);
        assertFalse(machine.queue(0).poll());
        ram().giveUp();
        machine.memoryChanged();
        assertTrue(machine.queue(0).poll(), "not given back");
        assertEquals(SECTOR, machine.queue(0).usedLength());
        assertEquals(1, disk().counters().unwritableStatuses());
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    @Test
    @DisplayName("5.4.6: a buffer that has no memory for a while comes back full")
    void shouldFillBuffersOfEntropyWhenMemoryIsBack() {
        BlockMachine machine = exchanging(new VirtioEntropy());
        int buffer = page(machine, 1, true);
        byte[] before = bytes(machine, buffer, 64);
        assertTrue(machine.queue(0).add(0, 0, 0, machine.address(buffer), 64));
        ram().takeAway(DATA);
        machine.kick(0);
        assertFalse(machine.queue(0).poll(), "given back empty");
        giveBack(machine);
        assertTrue(machine.queue(0).poll(), "not given back");
        assertEquals(64, machine.queue(0).usedLength());
        assertFalse(Arrays.equals(before, bytes(machine, buffer, 64)));
        assertEquals(64, machine.send(new byte[0], 64).used());
    }

    private BlockMachine exchanging(VirtioDevice device) {
        return keep(new BlockMachine(kind, device,
                memory -> ram = new ExchangedRam(memory, BORDER, BlockMachine.RAM_END))).start();
    }

    private ExchangedRam ram() {
        return Objects.requireNonNull(ram);
    }

    private void giveBack(BlockMachine machine) {
        ram().giveBack(DATA);
        machine.memoryChanged();
    }

    /** One page of a few that lie in the region that goes, or in the one that stays. */
    private static int page(BlockMachine machine, int which, boolean goes) {
        int left = which;
        int page = (int) GuestMemory.PAGE_SIZE;
        for (int at = 0; at < machine.area().length(); at += page) {
            boolean there = machine.area().gpa(at) >= BORDER;
            if (there == goes && left-- == 0) {
                return at;
            }
        }
        throw new AssertionError("no such page");
    }

    private static int place(BlockMachine machine, byte[] bytes, boolean goes) {
        int at = page(machine, 0, goes);
        machine.area().write(at, bytes, 0, bytes.length);
        return at;
    }

    private static void addRead(BlockMachine machine, int header, int data, int status) {
        long[] addresses = List.of(header, data, status).stream().mapToLong(machine::address).toArray();
        machine.area().fill(data, SECTOR, DiskReply.UNTOUCHED);
        machine.area().fill(status, 1, DiskReply.UNTOUCHED);
        assertTrue(machine.queue(0).add(0, addresses, new long[] {16, SECTOR, 1}, 1, 2));
    }

    private static byte[] bytes(BlockMachine machine, int at, int length) {
        byte[] bytes = new byte[length];
        machine.area().read(at, bytes, 0, length);
        return bytes;
    }

    private static byte[] sector(byte[] disk, int sector) {
        return Arrays.copyOfRange(disk, sector * SECTOR, (sector + 1) * SECTOR);
    }

    private static void assertGoesOn(BlockMachine machine) {
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(0), USED));
    }
}
