// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.fixture.ExchangedRam;

/** Tests of a console, each over every way to reach one. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ConsoleTests {

    static final int RECEIVE = 0;
    static final int TRANSMIT = 1;
    static final int MIB = 1 << 20;
    static final int NEEDS_RESET = 0x40;
    static final long BORDER = BlockMachine.RAM_END / 2;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    private @Nullable BlockMachine machine;
    private @Nullable VirtioConsole console;
    private @Nullable ExchangedRam ram;

    /** A guest that has not found its console yet. */
    BlockMachine guestOf(ConsoleTerminal terminal) {
        VirtioConsole made = new VirtioConsole(terminal);
        console = made;
        BlockMachine guest = new BlockMachine(kind, made,
                memory -> ram = new ExchangedRam(memory, BORDER, BlockMachine.RAM_END));
        machine = guest;
        return guest;
    }

    BlockMachine started(ConsoleTerminal terminal) {
        return guestOf(terminal).start();
    }

    VirtioConsole console() {
        return Objects.requireNonNull(console);
    }

    ExchangedRam ram() {
        return Objects.requireNonNull(ram);
    }

    @AfterEach
    void close() {
        if (machine != null) {
            machine.close();
            console().close();
        }
    }

    /** Puts bytes out and waits for the buffer, which must come back with nothing written. */
    void putOut(BlockMachine guest, byte[] bytes, int piece) {
        assertEquals(0, guest.send(TRANSMIT, bytes, 0, piece).used());
    }

    /** Gives the guest bytes of which each must be taken. */
    void type(byte[] bytes) {
        assertEquals(bytes.length, console().input(ByteBuffer.wrap(bytes)));
    }

    /** What the guest finds in the next buffer that comes back. */
    static byte[] read(BlockMachine guest) {
        DiskReply reply = guest.await(RECEIVE);
        for (int i = (int) reply.used(); i < reply.writable().length; i++) {
            assertEquals((byte) DiskReply.UNTOUCHED, reply.writable()[i]);
        }
        return Arrays.copyOf(reply.writable(), (int) reply.used());
    }

    /** Bytes that count up. */
    static byte[] numbered(int length, int from) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (from + i);
        }
        return bytes;
    }
}
