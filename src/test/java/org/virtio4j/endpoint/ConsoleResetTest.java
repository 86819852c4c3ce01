// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.Seeds;

/** A console whose driver, or whose memory, goes away in mid-transfer. */
class ConsoleResetTest extends ConsoleTests {

    private final SlowTerminal terminal = new SlowTerminal();

    /** A driver that has put out 50,000 bytes, of which a terminal has taken 20,000 and takes no more. */
    private BlockMachine stuck() {
        BlockMachine guest = started(terminal);
        terminal.room(20_000);
        guest.add(TRANSMIT, numbered(50_000, 0), 0, 9000);
        guest.kick(TRANSMIT);
        terminal.awaitFull(20_000);
        return guest;
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.4.2: a reset waits for no terminal that takes nothing, and nothing of before it is put out later")
    void shouldResetInMidWrite(ResetKind how) {
        BlockMachine guest = stuck();
        guest.reset(how);
        guest.busMastering(true);
        assertEquals(0, guest.transport().status());
        terminal.room(1 << 30);
        console().outputReady();
        guest.start();
        byte[] next = numbered(30_000, 7);
        putOut(guest, next, 4000);
        byte[] expected = Arrays.copyOf(numbered(50_000, 0), 20_000 + next.length);
        System.arraycopy(next, 0, expected, 20_000, next.length);
        assertArrayEquals(expected, terminal.bytes());
        assertEquals(expected.length, console().counters().outputBytes());
    }

    @Test
    @DisplayName("2.6.1: the same where only the transmitq is reset")
    void shouldResetTheTransmitqInMidWrite() {
        BlockMachine guest = stuck();
        assertTrue(guest.transport().resetQueue(TRANSMIT));
        guest.enable(TRANSMIT);
        terminal.room(1 << 30);
        putOut(guest, numbered(3, 90), 4000);
        assertArrayEquals(new byte[] {90, 91, 92}, Arrays.copyOfRange(terminal.bytes(), 20_000, 20_003));
        assertEquals(20_003, terminal.bytes().length);
    }

    @Test
    @DisplayName("2.6.1: a reset of the receiveq does not disturb what is being put out")
    void shouldGoOnWhileTheReceiveqIsReset() {
        BlockMachine guest = stuck();
        guest.add(RECEIVE, new byte[0], 10, 10);
        assertTrue(guest.transport().resetQueue(RECEIVE));
        type(new byte[] {5});
        assertNull(guest.poll(RECEIVE));
        guest.enable(RECEIVE);
        guest.add(RECEIVE, new byte[0], 10, 10);
        guest.kick(RECEIVE);
        assertArrayEquals(new byte[] {5}, read(guest));
        terminal.room(1 << 30);
        console().outputReady();
        assertEquals(0, guest.await(TRANSMIT).used());
        assertArrayEquals(numbered(50_000, 0), terminal.bytes());
    }

    @Test
    @DisplayName("input that no driver has taken outlives a reset, and is not doubled")
    void shouldKeepInputThroughAReset() {
        BlockMachine guest = started(terminal);
        type(numbered(100, 0));
        guest.add(RECEIVE, new byte[0], 40, 40);
        guest.kick(RECEIVE);
        assertArrayEquals(numbered(40, 0), read(guest));
        guest.start();
        guest.add(RECEIVE, new byte[0], 90, 40);
        guest.kick(RECEIVE);
        assertArrayEquals(numbered(60, 40), read(guest));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @DisplayName("memory that is away for a moment in mid-write: each byte is put out once")
    void shouldPutOutEachByteOnceThoughMemoryWasAway(int region) {
        BlockMachine guest = started(terminal);
        byte[] all = new byte[1_900_000];
        new Random(Seeds.next()).nextBytes(all);
        guest.add(TRANSMIT, all, 0, 100_000);
        terminal.room(500_000);
        guest.kick(TRANSMIT);
        terminal.awaitFull(500_000);
        ram().takeAway(region);
        terminal.room(1 << 30);
        console().outputReady();
        ram().giveBack(region);
        guest.memoryChanged();
        assertEquals(0, guest.await(TRANSMIT).used());
        assertArrayEquals(all, terminal.bytes());
        assertEquals(0, console().counters().faults());
        assertEquals(1, console().counters().outputBuffers());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @DisplayName("memory that is away when something is typed: each byte comes in once")
    void shouldBringEachByteInOnceThoughMemoryWasAway(int region) {
        BlockMachine guest = started(terminal);
        byte[] typed = numbered(60_000, 1);
        for (int i = 0; i < 30; i++) {
            guest.add(RECEIVE, new byte[0], 60_000, 30_000);
            guest.add(RECEIVE, new byte[0], 60_000, 30_000);
            guest.kick(RECEIVE);
            ram().takeAway(region);
            type(typed);
            ram().giveBack(region);
            guest.memoryChanged();
            // What goes around the end of the console's buffer comes in two.
            ByteArrayOutputStream got = new ByteArrayOutputStream();
            while (got.size() < typed.length) {
                got.writeBytes(read(guest));
            }
            assertArrayEquals(typed, got.toByteArray());
        }
    }
}
