// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ChainHandler;
import org.virtio4j.device.KeptChain;
import org.virtio4j.device.ServedChain;
import org.virtio4j.fixture.Parked;

/** Handlers that wait for other threads, on queues that are looked at until their thread is about to be let go. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WaitingHandlerTest {

    /** After so many passes a thread that serves a kick is let go. */
    private static final int PASSES = 1_000;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    private final List<KeptChain> kept = new ArrayList<>();
    private final AtomicReference<OwnDevice> device = new AtomicReference<>();

    @Test
    @DisplayName("completing waits for no handler, and the chain is given back before the thread goes")
    void shouldCompleteWhileAHandlerWaitsForIt() {
        AtomicInteger calls = new AtomicInteger();
        device.set(OwnDevice.with(chain -> {
            if (kept.isEmpty()) {
                kept.add(chain.keep());
            } else if (calls.incrementAndGet() <= PASSES) {
                lookAgain(chain, 0);
            } else {
                Thread pool = Thread.ofPlatform().daemon().start(() -> kept.getFirst().complete());
                Parked.finish(pool);
            }
        }));
        BlockMachine guest = new BlockMachine(kind, device.get()).start();
        guest.add(0, new byte[1], 1, 1);
        guest.add(0, new byte[1], 1, 1);
        guest.kick(0);
        assertEquals(PASSES + 1, calls.get());
        assertNotNull(guest.poll(0));
        assertNotNull(guest.poll(0));
        guest.close();
    }

    @Test
    @DisplayName("two queues whose handlers look at each other do not wait for each other")
    void shouldLetQueuesLookAtEachOther() {
        CountDownLatch both = new CountDownLatch(2);
        device.set(OwnDevice.with(crossing(0, both), crossing(1, both)));
        BlockMachine guest = new BlockMachine(kind, device.get()).start();
        List<Thread> cpus = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int queue = i;
            guest.add(queue, new byte[1], 1, 1);
            cpus.add(Thread.ofPlatform().daemon().start(() -> guest.kick(queue)));
        }
        cpus.forEach(Parked::finish);
        assertNotNull(guest.poll(0));
        assertNotNull(guest.poll(1));
        guest.close();
    }

    private ChainHandler crossing(int own, CountDownLatch both) {
        AtomicInteger calls = new AtomicInteger();
        return chain -> {
            int call = calls.incrementAndGet();
            if (call <= PASSES) {
                lookAgain(chain, own);
            } else if (call == PASSES + 1) {
                both.countDown();
                Parked.await(both);
                device.get().queues.get(1 - own).look();
            }
        };
    }

    private void lookAgain(ServedChain chain, int queue) {
        chain.postpone();
        device.get().queues.get(queue).look();
    }

    @Test
    @DisplayName("an answer that cannot be copied leaves the chain to be completed again")
    void shouldCompleteAfterACopyThatThrew() {
        BlockMachine guest = new BlockMachine(kind, OwnDevice.with(chain -> kept.add(chain.keep()))).start();
        guest.add(0, new byte[1], 8, 8);
        guest.kick(0);
        MemorySegment closed;
        try (Arena arena = Arena.ofConfined()) {
            closed = arena.allocate(8);
        }
        assertThrows(IllegalStateException.class, () -> kept.getFirst().complete(closed, 0, 8));
        assertTrue(kept.getFirst().complete(), "still to be completed");
        assertNotNull(guest.poll(0));
        guest.close();
    }

    @Test
    @DisplayName("a length that a driver has made negative is no copy of nothing")
    void shouldRefuseNegativeLengths() {
        AtomicReference<Object> result = new AtomicReference<>("none");
        BlockMachine guest = new BlockMachine(kind, OwnDevice.with(chain -> {
            MemorySegment body = MemorySegment.ofArray(new byte[64]);
            try {
                result.set(chain.read(8, body, 0, chain.readableLength() - 8));
            } catch (IndexOutOfBoundsException refused) {
                result.set(refused);
            }
        })).start();
        guest.send(new byte[4], 1);
        assertInstanceOf(IndexOutOfBoundsException.class, result.get());
        guest.close();
    }
}
