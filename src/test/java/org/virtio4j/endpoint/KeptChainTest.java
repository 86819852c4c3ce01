// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ChainHandler;
import org.virtio4j.device.KeptChain;
import org.virtio4j.device.ServedQueue;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.guide.GuideDevices;

/** Chains that their device answers later, in any order, from any thread (virtio 1.4, section 2.7.14). */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KeptChainTest {

    private static final long BORDER = BlockMachine.RAM_END / 2;
    private static final int THREADS = 3;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    private final List<KeptChain> kept = Collections.synchronizedList(new ArrayList<>());
    private @Nullable BlockMachine machine;
    private @Nullable ExchangedRam ram;

    private BlockMachine keeping() {
        return started(OwnDevice.with(keepAll()));
    }

    private ChainHandler keepAll() {
        return chain -> kept.add(chain.keep());
    }

    private BlockMachine started(VirtioDevice device) {
        BlockMachine made = new BlockMachine(kind, device,
                memory -> ram = new ExchangedRam(memory, BORDER, BlockMachine.RAM_END));
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
    @DisplayName("chains are given back in the order in which they are completed, each with its own answer")
    void shouldGiveBackInTheOrderOfCompletion() {
        BlockMachine guest = keeping();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            tokens.add(guest.add(0, new byte[i], 8, 8));
        }
        guest.kick(0);
        assertNull(guest.poll(0), "kept");
        for (int i : new int[] {2, 0, 3, 1}) {
            assertEquals(i, kept.get(i).readableLength());
            assertEquals(8, kept.get(i).writableLength());
            assertTrue(kept.get(i).isWanted());
            assertTrue(kept.get(i).complete(MemorySegment.ofArray(new byte[] {9, (byte) i}), 1, 1));
            DiskReply reply = Objects.requireNonNull(guest.poll(0));
            assertEquals(tokens.get(i), reply.token());
            assertEquals(1, reply.used());
            assertEquals(i, reply.writable()[0]);
        }
        assertEquals(0, guest.transport().status() & 0x40);
    }

    @Test
    @DisplayName("a chain may be completed with nothing, and in the handler itself")
    void shouldCompleteInTheHandler() {
        BlockMachine guest = started(OwnDevice.with(chain -> assertTrue(chain.keep().complete())));
        for (int i = 0; i < 200; i++) {
            assertEquals(0, guest.send(new byte[1], 1).used());
        }
    }

    @Test
    @DisplayName("an answer longer than a section may copy is given back when it is whole")
    void shouldCopyLongAnswersPieceByPiece() {
        BlockMachine guest = keeping();
        byte[] answer = new byte[300_001];
        new Random(1).nextBytes(answer);
        guest.add(0, new byte[0], answer.length, 70_000);
        guest.add(0, new byte[0], 5, 5);
        guest.kick(0);
        assertTrue(kept.get(0).complete(MemorySegment.ofArray(answer), 0, answer.length));
        assertTrue(kept.get(1).complete(MemorySegment.ofArray(answer), 7, 5));
        assertArrayEquals(answer, Objects.requireNonNull(guest.poll(0)).writable());
        assertEquals(answer[7], Objects.requireNonNull(guest.poll(0)).writable()[0]);
    }

    @Test
    @DisplayName("a long answer to a buffer that leads nowhere is given back with nothing in it")
    void shouldGiveBackLongAnswersThatLeadNowhere() {
        BlockMachine guest = keeping();
        byte[] answer = new byte[200_000];
        guest.addAt(0, 0, 0, 0x7fff_0000_0000L, answer.length);
        guest.add(0, new byte[0], 5, 5);
        guest.kick(0);
        assertTrue(kept.get(0).complete(MemorySegment.ofArray(answer), 0, answer.length));
        assertTrue(kept.get(1).complete(MemorySegment.ofArray(answer), 0, 5));
        assertEquals(0, Objects.requireNonNull(guest.poll(0)).used());
        assertEquals(5, Objects.requireNonNull(guest.poll(0)).used());
    }

    @Test
    @DisplayName("the guide's device answers out of order from a thread pool, and each answer is right")
    void shouldServeTheChecksumsOfTheGuide() {
        Random random = new Random(Seeds.next());
        try (ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
            BlockMachine guest = started(GuideDevices.checksum(pool));
            Map<Long, Integer> expected = new HashMap<>();
            for (int round = 0; round < 30; round++) {
                for (int i = 0; i < 20; i++) {
                    byte[] data = new byte[random.nextInt(5000)];
                    random.nextBytes(data);
                    CRC32C sum = new CRC32C();
                    sum.update(data);
                    expected.put(guest.add(0, data, 4, 4096), (int) sum.getValue());
                }
                guest.kick(0);
                for (int i = 0; i < 20; i++) {
                    DiskReply reply = guest.await(0);
                    ByteBuffer answer = ByteBuffer.wrap(reply.writable()).order(ByteOrder.LITTLE_ENDIAN);
                    assertEquals(expected.remove(reply.token()), answer.getInt(0));
                }
            }
            assertEquals(Map.of(), expected);
        }
    }

    @Test
    @DisplayName("2.4.2: after a reset nobody waits, and completing writes nothing and disturbs no later chain")
    void shouldDropWhatAResetHasEnded() {
        BlockMachine guest = keeping();
        guest.add(0, new byte[0], 16, 16);
        guest.add(0, new byte[0], 16, 16);
        guest.kick(0);
        guest.driver().reset();
        KeptChain early = kept.get(0);
        assertFalse(early.isWanted());
        assertFalse(early.complete(MemorySegment.ofArray(new byte[16]), 0, 16));
        guest.start();
        guest.fill(DiskReply.UNTOUCHED);
        long token = guest.add(0, new byte[0], 16, 16);
        guest.kick(0);
        KeptChain late = kept.get(1);
        assertFalse(late.isWanted());
        assertFalse(late.complete(MemorySegment.ofArray(new byte[16]), 0, 16));
        assertFalse(early.complete());
        assertTrue(guest.isFilled(DiskReply.UNTOUCHED));
        assertNull(guest.poll(0));
        assertTrue(kept.get(2).complete());
        assertEquals(token, Objects.requireNonNull(guest.poll(0)).token());
    }

    @Test
    @DisplayName("2.6.1: the same where only the queue is reset, and completed chains of before it are dropped")
    void shouldDropWhatAQueueResetHasEnded() {
        BlockMachine guest = keeping();
        guest.add(0, new byte[0], 16, 16);
        guest.kick(0);
        assertTrue(guest.transport().resetQueue(0));
        assertFalse(kept.getFirst().isWanted());
        guest.enable(0);
        guest.fill(DiskReply.UNTOUCHED);
        assertFalse(kept.getFirst().complete(MemorySegment.ofArray(new byte[16]), 0, 16));
        guest.kick(0);
        assertTrue(guest.isFilled(DiskReply.UNTOUCHED));
        guest.add(0, new byte[0], 16, 16);
        guest.kick(0);
        assertTrue(kept.getLast().complete());
        assertNotNull(guest.poll(0));
    }

    @Test
    @DisplayName("an answer whose memory is away for a moment is given back when it is there again")
    void shouldHoldAnswersWhileMemoryIsAway() {
        BlockMachine guest = keeping();
        byte[] answer = new byte[150_000];
        new Random(2).nextBytes(answer);
        for (int i = 0; i < 3; i++) {
            guest.add(0, new byte[0], answer.length, answer.length);
        }
        guest.kick(0);
        Objects.requireNonNull(ram).takeAway(1);
        for (KeptChain chain : kept) {
            assertTrue(chain.complete(MemorySegment.ofArray(answer), 0, answer.length));
        }
        Objects.requireNonNull(ram).giveBack(1);
        guest.memoryChanged();
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(answer, Objects.requireNonNull(guest.poll(0)).writable());
        }
    }

    @Test
    @DisplayName("a chain whose content could not be read is not kept: the handler is called again")
    void shouldKeepWhatCouldBeRead() {
        BlockMachine guest = started(OwnDevice.with(chain -> {
            byte[] data = new byte[(int) chain.readableLength()];
            chain.read(0, MemorySegment.ofArray(data), 0, data.length);
            KeptChain chained = chain.keep();
            kept.add(chained);
            chained.complete(MemorySegment.ofArray(data), 0, data.length);
        }));
        byte[] sent = new byte[1_500_000 / 2];
        new Random(3).nextBytes(sent);
        guest.add(0, sent, sent.length, sent.length);
        Objects.requireNonNull(ram).takeAway(0);
        guest.kick(0);
        assertNull(guest.poll(0));
        Objects.requireNonNull(ram).giveBack(0);
        guest.memoryChanged();
        assertArrayEquals(sent, Objects.requireNonNull(guest.poll(0)).writable());
    }

    @Test
    @DisplayName("2.7.10: what was completed for a polled device is given back by the next poll, or at once")
    void shouldGiveBackToADriverThatIsPolled() {
        BlockMachine guest = started(OwnDevice.polled(keepAll()).set(ServedQueue::byPollsAlone));
        guest.add(0, new byte[0], 1, 1);
        guest.queue(0).publish();
        assertEquals(0, guest.pollDevice());
        assertTrue(kept.getFirst().complete());
        assertNull(guest.poll(0));
        assertEquals(1, guest.pollDevice());
        assertNotNull(guest.poll(0));
    }

    @Test
    @DisplayName("a chain is completed once, with no more than it has room for")
    void shouldRefuseMistakes() {
        BlockMachine guest = keeping();
        guest.add(0, new byte[0], 8, 8);
        guest.kick(0);
        MemorySegment nine = MemorySegment.ofArray(new byte[9]);
        KeptChain chain = kept.getFirst();
        assertThrows(IndexOutOfBoundsException.class, () -> chain.complete(nine, 0, 9));
        assertThrows(IndexOutOfBoundsException.class, () -> chain.complete(nine, 2, 8));
        assertNull(guest.poll(0));
        assertTrue(chain.complete(nine, 0, 8));
        assertThrows(IllegalStateException.class, chain::complete);
        assertNotNull(guest.poll(0));
        assertNull(guest.poll(0));
    }

    @Test
    @DisplayName("2.1.2: a handler that keeps a chain and throws ends the queue, and leaves nothing to a later driver")
    void shouldForgetTheChainOfAHandlerThatThrew() {
        AtomicBoolean throwing = new AtomicBoolean(true);
        BlockMachine guest = started(OwnDevice.with(chain -> {
            if (throwing.get()) {
                kept.add(chain.keep());
                throw new IllegalStateException("mine");
            }
        }));
        guest.add(0, new byte[0], 8, 8);
        assertThrows(IllegalStateException.class, () -> guest.kick(0));
        assertFalse(kept.getFirst().complete(), "nobody waits after a failure");
        throwing.set(false);
        guest.start();
        for (int i = 0; i < 200; i++) {
            assertEquals(0, guest.send(new byte[1], 1).used());
        }
    }

    @Test
    @DisplayName("a driver, a worker, threads that complete, and resets: each chain comes back once with its answer")
    void shouldSurviveThreadsAndResets() {
        Random random = new Random(Seeds.next());
        ConcurrentLinkedQueue<Runnable> work = new ConcurrentLinkedQueue<>();
        boolean byWorker = random.nextBoolean();
        OwnDevice device = OwnDevice.with(chain -> {
            byte[] data = new byte[(int) chain.readableLength()];
            chain.read(0, MemorySegment.ofArray(data), 0, data.length);
            KeptChain chained = chain.keep();
            work.add(() -> chained.complete(MemorySegment.ofArray(data), 0, data.length));
        });
        if (byWorker) {
            device.set(queue -> queue.byWorker("own worker"));
        }
        try (ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
            BlockMachine guest = started(device);
            for (int round = 0; round < 40; round++) {
                exchange(guest, random, pool, work);
                guest.driver().reset();
                pool.execute(() -> runAll(work));
                guest.start();
            }
        }
    }

    private static void exchange(BlockMachine guest, Random random, ExecutorService pool,
            ConcurrentLinkedQueue<Runnable> work) {
        Map<Long, byte[]> sent = new HashMap<>();
        for (int i = 0; i < 30; i++) {
            byte[] data = new byte[1 + random.nextInt(300)];
            random.nextBytes(data);
            sent.put(guest.add(0, data, data.length, 300), data);
            if (random.nextInt(4) == 0) {
                guest.kick(0);
                pool.execute(() -> runAll(work));
            }
        }
        guest.kick(0);
        int back = random.nextInt(31);
        for (int i = 0; i < back; i++) {
            AtomicReference<@Nullable DiskReply> next = new AtomicReference<>();
            Parked.until(() -> {
                runAll(work);
                next.set(guest.poll(0));
                return next.get() != null;
            });
            DiskReply reply = Objects.requireNonNull(next.get());
            assertArrayEquals(sent.remove(reply.token()), reply.writable());
        }
    }

    private static void runAll(ConcurrentLinkedQueue<Runnable> work) {
        for (Runnable next = work.poll(); next != null; next = work.poll()) {
            next.run();
        }
    }
}
