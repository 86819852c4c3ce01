// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.Seeds;

/** A terminal that types as fast as it may, while its guest reads, stands still and starts again. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConsoleFloodTest {

    private static final int RECEIVE = 0;
    private static final int ROUNDS = 60;
    private static final int BUFFER = 512;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    private volatile boolean over;

    @Test
    @DisplayName("5.3.6.1: a driver that adds buffers and waits gets input each time, after whichever reset")
    void shouldGoOnAfterResets() {
        Random random = new Random(Seeds.next());
        Typist typist = new Typist();
        try (VirtioConsole console = new VirtioConsole(typist);
                BlockMachine guest = new BlockMachine(kind, console)) {
            Thread typing = Thread.ofPlatform().start(() -> typist.flood(console));
            for (int round = 0; round < ROUNDS; round++) {
                guest.start();
                read(guest, random);
                guest.driver().reset();
            }
            over = true;
            LockSupport.unpark(typing);
            Parked.finish(typing);
        }
    }

    /** As Linux does: notifies of each buffer of the first filling, and of each that it has read and gives back. */
    private static void read(BlockMachine guest, Random random) {
        int buffers = 1 + random.nextInt(40);
        for (int i = 0; i < buffers; i++) {
            add(guest);
        }
        int reads = random.nextInt(200);
        for (int i = 0; i < reads; i++) {
            assertEquals(BUFFER, guest.await(RECEIVE).writable().length);
            if (random.nextInt(20) == 0) {
                LockSupport.parkNanos(random.nextInt(200_000));
            }
            add(guest);
        }
    }

    private static void add(BlockMachine guest) {
        guest.add(RECEIVE, new byte[0], BUFFER, BUFFER);
        guest.kick(RECEIVE);
    }

    /** Types whenever there is room, and waits for room otherwise. */
    private final class Typist implements ConsoleTerminal {

        private volatile Thread waiting = Thread.currentThread();

        private void flood(VirtioConsole console) {
            waiting = Thread.currentThread();
            ByteBuffer lines = ByteBuffer.allocate(777);
            while (!over) {
                if (console.input(lines.clear()) == 0) {
                    LockSupport.park(this);
                }
            }
        }

        @Override
        public void write(ByteBuffer bytes) {
            bytes.position(bytes.limit());
        }

        @Override
        public void inputTaken() {
            LockSupport.unpark(waiting);
        }
    }
}
