// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What drivers of a console must not do, and what they may but hardly ever do. */
class ConsoleHostileTest extends ConsoleTests {

    private static final long NOWHERE = 0x7fff_0000_0000L;

    @Test
    @DisplayName("5.3.6.1: a writable part in the transmitq is ignored, and so is a readable one in the receiveq")
    void shouldIgnoreTheWrongParts() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        DiskReply out = guest.send(TRANSMIT, new byte[] {1, 2}, 10, 1);
        assertEquals(0, out.used());
        assertEquals((byte) DiskReply.UNTOUCHED, out.writable()[0]);
        assertArrayEquals(new byte[] {1, 2}, terminal.bytes());
        type(new byte[] {3, 4});
        guest.add(RECEIVE, new byte[100], 3, 30);
        guest.kick(RECEIVE);
        assertArrayEquals(new byte[] {3, 4}, read(guest));
        assertGoesOn(guest, terminal);
    }

    @Test
    @DisplayName("2.7.4: a buffer with nothing for its queue comes back, and takes no input along")
    void shouldGiveEmptyBuffersBack() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        assertEquals(0, guest.send(TRANSMIT, new byte[0], 5, 5).used());
        assertEquals(0, terminal.bytes().length);
        type(new byte[] {7});
        guest.add(RECEIVE, new byte[5], 0, 5);
        guest.add(RECEIVE, new byte[0], 1, 1);
        guest.kick(RECEIVE);
        assertEquals(0, read(guest).length);
        assertArrayEquals(new byte[] {7}, read(guest));
        assertGoesOn(guest, terminal);
    }

    @Test
    @DisplayName("a buffer that leads nowhere comes back with nothing, and the input is for the next")
    void shouldSurviveBuffersThatLeadNowhere() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        guest.addAt(TRANSMIT, NOWHERE, 64, 0, 0);
        guest.kick(TRANSMIT);
        assertEquals(0, guest.await(TRANSMIT).used());
        type(new byte[] {8, 9});
        guest.addAt(RECEIVE, 0, 0, NOWHERE, 64);
        guest.add(RECEIVE, new byte[0], 2, 1);
        guest.kick(RECEIVE);
        assertEquals(0, guest.await(RECEIVE).used());
        assertArrayEquals(new byte[] {8, 9}, read(guest));
        assertEquals(2, console().counters().faults());
        assertGoesOn(guest, terminal);
    }

    @Test
    @DisplayName("a receive buffer that ends in nowhere after some bytes loses none of the input")
    void shouldLoseNoInputToABufferThatIsHalfThere() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        byte[] typed = numbered(20_000, 0);
        type(typed);
        long end = guest.atTheEnd(new byte[8192]);
        guest.addAt(RECEIVE, 0, 0, end, 64_000);
        guest.add(RECEIVE, new byte[0], typed.length, 4096);
        guest.kick(RECEIVE);
        assertEquals(0, guest.await(RECEIVE).used());
        assertArrayEquals(typed, read(guest));
    }

    @Test
    @DisplayName("a chain of 3 GiB that leaves memory: what is there is put out, and the chain comes back")
    void shouldSurviveEndlessChains() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        guest.addAt(TRANSMIT, guest.address(0), 0xc000_0000L, 0, 0);
        guest.kick(TRANSMIT);
        assertEquals(0, guest.await(TRANSMIT).used());
        assertTrue(terminal.bytes().length >= 2 * MIB - 16384, () -> "only " + terminal.bytes().length);
        assertEquals(1, console().counters().faults());
    }

    @Test
    @DisplayName("2.4: the reset of a device with a hundred MiB to put out waits for none of it")
    void shouldNotWaitForAHugeChain() {
        SlowTerminal terminal = new SlowTerminal();
        BlockMachine guest = started(terminal);
        long[] addresses = new long[BlockMachine.QUEUE_SIZE];
        long[] lengths = new long[BlockMachine.QUEUE_SIZE];
        Arrays.fill(addresses, guest.address(0));
        Arrays.fill(lengths, 2L * MIB);
        assertTrue(guest.queue(TRANSMIT).add(1, addresses, lengths, addresses.length, 0));
        terminal.room(100_000);
        guest.kick(TRANSMIT);
        terminal.awaitFull(100_000);
        guest.driver().reset();
        assertEquals(0, guest.transport().status());
        assertEquals(100_000, terminal.bytes().length);
    }

    private void assertGoesOn(BlockMachine guest, SlowTerminal terminal) {
        int before = terminal.bytes().length;
        putOut(guest, new byte[10], 3);
        assertEquals(before + 10, terminal.bytes().length);
        assertEquals(0, guest.transport().status() & NEEDS_RESET);
    }
}
