// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.FeatureSet;

/** Section 5.4, the source of entropy. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EntropyTest {

    private static final int MOST = 4096;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    private @Nullable BlockMachine machine;

    private BlockMachine started() {
        BlockMachine made = new BlockMachine(kind, new VirtioEntropy());
        machine = made;
        return made.start();
    }

    @AfterEach
    void close() {
        if (machine != null) {
            machine.close();
        }
    }

    @Test
    @DisplayName("5.4.1 to 5.4.3: device 4, one queue, no feature bits of its own")
    void shouldBeAnEntropySource() {
        BlockMachine guest = started();
        assertEquals(4, guest.transport().deviceType());
        assertEquals(64, guest.transport().queueSizeMax(0));
        assertEquals(0, guest.transport().queueSizeMax(1));
        FeatureSet offered = guest.offered();
        assertEquals(0, offered.low() & 0xff_ffffL);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 64, 4095, 4096, 4097, 100_000})
    @DisplayName("5.4.6.2: a buffer gets at least one random byte, and nothing behind what the used length says")
    void shouldFillBuffers(int length) {
        DiskReply reply = started().send(new byte[0], length);
        assertEquals(Math.min(length, MOST), reply.used());
        assertTrue(length < 64 || distinct(reply) > 16, "this is not random");
        for (int i = (int) reply.used(); i < length; i++) {
            assertEquals((byte) DiskReply.UNTOUCHED, reply.writable()[i]);
        }
    }

    @Test
    @DisplayName("5.4.6: each buffer of a batch gets bytes of its own")
    void shouldGiveNoBytesTwice() {
        BlockMachine guest = started();
        for (int i = 0; i < 20; i++) {
            guest.add(0, new byte[0], 32, 16);
        }
        guest.kick(0);
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            assertTrue(seen.add(Arrays.toString(guest.await(0).writable())));
        }
    }

    @Test
    @DisplayName("5.4.6.1: what the driver must not do: a readable part is ignored, no writable one is no error")
    void shouldSurviveWhatDriversMustNotDo() {
        BlockMachine guest = started();
        assertEquals(32, guest.send(new byte[10], 32).used());
        assertEquals(0, guest.send(new byte[10], 0).used());
        guest.addAt(0, 0, 0, 0x7fff_0000_0000L, 64);
        guest.kick(0);
        assertEquals(0, guest.await(0).used());
        assertEquals(32, guest.send(new byte[0], 32).used());
    }

    @Test
    @DisplayName("2.4: after a reset it can be brought up again")
    void shouldServeAfterReset() {
        BlockMachine guest = started();
        byte[] before = guest.send(new byte[0], 32).writable();
        byte[] after = guest.start().send(new byte[0], 32).writable();
        assertFalse(Arrays.equals(before, after));
        assertNotEquals(0, guest.interrupts());
    }

    private static long distinct(DiskReply reply) {
        Set<Byte> seen = new HashSet<>();
        for (byte value : reply.writable()) {
            seen.add(value);
        }
        return seen.size();
    }
}
