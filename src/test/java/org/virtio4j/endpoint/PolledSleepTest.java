// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.vmm.GuestMemory;

/** PCI Express 3.0, section 5.3.1: a polled function that was in D3hot, where no doorbell says that it goes on. */
class PolledSleepTest {

    private static final int RAM = 1 << 20;
    private static final long DATA = 0x8_0000;
    private static final int CAPABILITIES = 0x34;
    private static final int POWER = 1;
    private static final int CONTROL = 4;
    private static final int D0 = 0;
    private static final int D3_HOT = 3;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final RawFunction raw =
            new RawFunction(VirtioEntropy.polled(), DmaSpace.identity(memory), memory, 0x1000, () -> { });

    @AfterEach
    void close() {
        raw.function.close();
        memory.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldGoOnWhenAwake(boolean eventIdx) {
        raw.start(eventIdx);
        offer(0);
        assertEquals(1, raw.function.poll());
        power(D3_HOT);
        offer(1);
        assertEquals(0, raw.function.poll());
        assertEquals(1, raw.ring(0).usedIndex());
        power(D0);
        assertEquals(2, raw.ring(0).usedIndex(), "what came while it was asleep is looked for at once");
        offer(2);
        assertEquals(1, raw.function.poll());
        assertEquals(3, raw.ring(0).usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldStayQuietWhenBusMasteringWentMeanwhile(boolean eventIdx) {
        raw.start(eventIdx);
        power(D3_HOT);
        offer(0);
        raw.busMastering(false);
        raw.busMastering(true);
        power(D0);
        assertEquals(0, raw.function.poll());
        assertEquals(0, raw.ring(0).usedIndex());
    }

    private void offer(int head) {
        raw.ring(0).chain(head, Buffer.writable(DATA, 64));
        raw.ring(0).offer(head);
    }

    private void power(int state) {
        long at = raw.function.readConfig(CAPABILITIES, 1);
        while (raw.function.readConfig(at, 1) != POWER) {
            at = raw.function.readConfig(at + 1, 1);
        }
        raw.function.writeConfig(at + CONTROL, 2, state);
    }
}
