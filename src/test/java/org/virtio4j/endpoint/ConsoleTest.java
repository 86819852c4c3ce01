// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.Seeds;

/** Section 5.3, the console: what it is, its size, and what goes through it. */
class ConsoleTest extends ConsoleTests {

    @Test
    @DisplayName("5.3.1 to 5.3.3: device 3, the two queues of port 0, and the size as its only feature")
    void shouldBeAConsole() {
        BlockMachine guest = started(SlowTerminal.endless());
        assertEquals(3, guest.transport().deviceType());
        assertEquals(64, guest.transport().queueSizeMax(RECEIVE));
        assertEquals(64, guest.transport().queueSizeMax(TRANSMIT));
        assertEquals(0, guest.transport().queueSizeMax(2));
        assertEquals(1, guest.offered().low() & 0xff_ffffL);
    }

    @Test
    @DisplayName("5.3.4: the size is in the first four bytes, also for a driver that has not negotiated it")
    void shouldShowTheSize() {
        BlockMachine guest = guestOf(SlowTerminal.endless());
        guest.negotiate(guest.offered().without(0));
        assertEquals(0, guest.config(0, 4));
        console().resize(0xfedc, 0x1234);
        assertEquals(0xfedc, guest.config(0, 2));
        assertEquals(0x1234, guest.config(2, 2));
        assertEquals(0x1234_fedcL, guest.config(0, 4));
        assertEquals(0, guest.config(4, 4));
        assertEquals(0, guest.config(8, 4));
    }

    @Test
    @DisplayName("5.3.6, 4.1.4.3.1: a resize is a notification, and a new generation for who reads it")
    void shouldTellOfAResize() {
        BlockMachine guest = started(SlowTerminal.endless());
        int generation = guest.transport().configGeneration();
        assertEquals(0, guest.config(0, 4));
        int interrupts = guest.interrupts();
        console().resize(80, 25);
        assertEquals(interrupts + 1, guest.interrupts());
        assertEquals(80 | 25 << 16, guest.config(0, 4));
        assertNotEquals(generation, guest.transport().configGeneration(), "after the driver has read the change");
    }

    @Test
    @DisplayName("a size that the configuration has no room for is the embedder's mistake")
    void shouldRefuseSizes() {
        guestOf(SlowTerminal.endless());
        for (int wrong : new int[] {-1, 0x1_0000, Integer.MIN_VALUE}) {
            String columns = assertThrows(IllegalArgumentException.class, () -> console().resize(wrong, 1))
                    .toString();
            assertTrue(columns.contains("columns=" + wrong), columns);
            assertThrows(IllegalArgumentException.class, () -> console().resize(1, wrong));
        }
        console().resize(0xffff, 0xffff);
    }

    @Test
    @DisplayName("5.3.6: 1 MiB goes to a terminal that takes it bit by bit, and none at times")
    void shouldPutOut() {
        Random random = new Random(Seeds.next());
        byte[] all = new byte[MIB];
        random.nextBytes(all);
        SlowTerminal terminal = new SlowTerminal();
        BlockMachine guest = started(terminal);
        AtomicBoolean end = new AtomicBoolean();
        Thread reader = new Thread(() -> {
            while (!end.get()) {
                terminal.room(random.nextInt(9000));
                console().outputReady();
                Thread.onSpinWait();
            }
        }, "reader");
        reader.start();
        Random lengths = new Random(random.nextLong());
        for (int at = 0; at < MIB;) {
            int length = Math.min(MIB - at, 1 + lengths.nextInt(40_000));
            putOut(guest, Arrays.copyOfRange(all, at, at + length), 1 + lengths.nextInt(5000) + length / 30);
            at += length;
        }
        end.set(true);
        Parked.finish(reader);
        assertArrayEquals(all, terminal.bytes());
        assertEquals(MIB, console().counters().outputBytes());
        assertEquals(0, console().counters().faults());
        assertEquals(0, guest.transport().status() & NEEDS_RESET);
    }

    @Test
    @DisplayName("5.3.6: 1 MiB comes in, with buffers of any size, from a thread that waits for room")
    void shouldTakeInput() {
        Random random = new Random(Seeds.next());
        byte[] all = new byte[MIB];
        random.nextBytes(all);
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        ByteBuffer rest = ByteBuffer.wrap(all);
        Thread typist = new Thread(() -> {
            while (rest.hasRemaining()) {
                int before = terminal.inputsTaken();
                ByteBuffer some = rest.slice(rest.position(), Math.min(rest.remaining(), 1 + random.nextInt(100_000)));
                rest.position(rest.position() + console().input(some));
                if (some.hasRemaining()) {
                    Parked.until(() -> terminal.inputsTaken() > before);
                }
            }
        }, "typist");
        Random lengths = new Random(random.nextLong());
        typist.start();
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        while (got.size() < MIB) {
            while (guest.queue(RECEIVE).out() < 8) {
                int length = 1 + lengths.nextInt(20_000);
                guest.add(RECEIVE, new byte[0], length, 1 + length / 3);
            }
            guest.kick(RECEIVE);
            got.writeBytes(read(guest));
        }
        Parked.finish(typist);
        assertArrayEquals(all, got.toByteArray());
        assertEquals(MIB, console().counters().inputBytes());
    }

    @Test
    @DisplayName("3.1.1: what is typed before DRIVER_OK is there after it, and no more than there is room for")
    void shouldKeepInputForALaterDriver() {
        BlockMachine guest = guestOf(SlowTerminal.endless());
        byte[] typed = new byte[70_000];
        new Random(3).nextBytes(typed);
        assertEquals(1 << 16, console().input(ByteBuffer.wrap(typed)));
        assertEquals(0, console().input(ByteBuffer.wrap(typed, 0, 1)));
        guest.start();
        guest.add(RECEIVE, new byte[0], typed.length, typed.length);
        guest.kick(RECEIVE);
        assertArrayEquals(Arrays.copyOf(typed, 1 << 16), read(guest));
    }

    @Test
    @DisplayName("buffers wait for input, and each takes what fits into it")
    void shouldFillSmallBuffers() {
        BlockMachine guest = started(SlowTerminal.endless());
        guest.add(RECEIVE, new byte[0], 1, 1);
        guest.add(RECEIVE, new byte[0], 2, 1);
        guest.add(RECEIVE, new byte[0], 9, 2);
        guest.kick(RECEIVE);
        assertNull(guest.poll(RECEIVE));
        type(bytes("hello"));
        assertEquals("h", text(read(guest)));
        assertEquals("el", text(read(guest)));
        assertEquals("lo", text(read(guest)));
        assertEquals(0, console().input(ByteBuffer.allocate(0)));
        assertNull(guest.poll(RECEIVE));
    }

    @Test
    @DisplayName("the terminal may give more input as soon as it hears that some was taken")
    void shouldTakeInputInTheCall() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        ByteBuffer much = ByteBuffer.allocate(100_000);
        terminal.onInputTaken(() -> console().input(much));
        int got = 0;
        console().input(much);
        while (got < much.capacity()) {
            guest.add(RECEIVE, new byte[0], 3000, 3000);
            guest.kick(RECEIVE);
            got += read(guest).length;
        }
        assertFalse(much.hasRemaining());
    }

    @Test
    @DisplayName("an output that is broken needs a reset, and is tried again after it")
    void shouldNeedAResetForABrokenOutput() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        terminal.broken(true);
        guest.add(TRANSMIT, bytes("lost"), 0, 4);
        guest.kick(TRANSMIT);
        Parked.until(() -> (guest.transport().status() & NEEDS_RESET) != 0);
        terminal.broken(false);
        guest.start(FeatureSet.offeredBy(guest.transport()));
        putOut(guest, bytes("found"), 5);
        assertEquals("found", text(terminal.bytes()));
    }

    @Test
    @DisplayName("what the terminal throws when input was taken comes out, and the device needs a reset")
    void shouldNeedAResetForAThrowingCall() {
        SlowTerminal terminal = SlowTerminal.endless();
        BlockMachine guest = started(terminal);
        terminal.onInputTaken(() -> {
            throw new IllegalStateException("no more");
        });
        console().input(ByteBuffer.allocate(100_000));
        guest.add(RECEIVE, new byte[0], 10, 10);
        assertEquals("no more", assertThrows(IllegalStateException.class, () -> guest.kick(RECEIVE)).getMessage());
        assertNotEquals(0, guest.transport().status() & NEEDS_RESET);
        terminal.onInputTaken(() -> { });
        guest.start();
        guest.add(RECEIVE, new byte[0], 10, 10);
        guest.kick(RECEIVE);
        assertEquals(10, read(guest).length);
    }

    @Test
    @DisplayName("0 bytes for a transfer in either direction")
    void shouldAllocateNothing() {
        assertEquals("0", ConsoleAllocationProbe.measure(kind));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
