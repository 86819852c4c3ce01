// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
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
import org.virtio4j.device.ChainHandler;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.ServedChain;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.fixture.Parked;
import org.virtio4j.guide.GuideDevices;
import org.virtio4j.vmm.LittleEndian;

/** Devices that say only what is done with a chain, of a type that the library has never heard of. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OwnDeviceTest {

    private static final int NEEDS_RESET = 0x40;
    private static final long BORDER = BlockMachine.RAM_END / 2;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    private @Nullable BlockMachine machine;
    private @Nullable ExchangedRam ram;

    private BlockMachine started(VirtioDevice device) {
        BlockMachine made = new BlockMachine(kind, device);
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
    @DisplayName("5: a driver sees the device type, the queues and the configuration that the device named")
    void shouldBeWhatItSaysItIs() {
        BlockMachine guest = started(OwnDevice.with(OwnDevice.echo(), OwnDevice.echo()));
        assertEquals(OwnDevice.TYPE, guest.transport().deviceType());
        assertEquals(BlockMachine.QUEUE_SIZE, guest.transport().queueSizeMax(1));
        assertEquals(0, guest.transport().queueSizeMax(2));
        assertEquals(0, guest.config(OwnDevice.CONFIG_SIZE - 4, 4));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 512, 4096, 65_536, 65_537, 200_000})
    @DisplayName("a chain of any length is read and written, in whatever pieces its driver cut it")
    void shouldEcho(int length) {
        BlockMachine guest = started(OwnDevice.with(OwnDevice.echo(), OwnDevice.echo()));
        byte[] sent = bytes(length);
        for (int queue = 0; queue < 2; queue++) {
            DiskReply reply = guest.send(queue, sent, length, 10_000);
            assertEquals(length, reply.used());
            assertArrayEquals(sent, reply.writable());
        }
    }

    @Test
    @DisplayName("the guide's device of fifteen lines fills buffers")
    void shouldServeTheDeviceOfTheGuide() {
        BlockMachine guest = started(GuideDevices.entropy());
        assertEquals(4, guest.transport().deviceType());
        assertEquals(64, guest.send(new byte[0], 64).used());
        assertEquals(4096, guest.send(new byte[0], 5000).used());
        byte[] first = guest.send(new byte[0], 32).writable();
        assertFalse(Arrays.equals(first, guest.send(new byte[0], 32).writable()));
    }

    @Test
    @DisplayName("the guide's thermometer tells its driver of each temperature, in a buffer and in the configuration")
    void shouldServeTheThermometerOfTheGuide() {
        GuideDevices.Thermometer thermometer = GuideDevices.thermometer();
        BlockMachine guest = started(thermometer.device());
        guest.add(0, new byte[0], 4, 4);
        guest.kick(0);
        assertNull(guest.poll(0), "nothing was measured yet");
        int generation = guest.transport().configGeneration();
        thermometer.measured().accept(21);
        assertEquals(21, Objects.requireNonNull(guest.poll(0)).writable()[0]);
        assertEquals(21, guest.config(0, 4));
        assertNotEquals(generation, guest.transport().configGeneration());
        thermometer.measured().accept(22);
        thermometer.measured().accept(23);
        guest.add(0, new byte[0], 4, 4);
        guest.add(0, new byte[0], 4, 4);
        guest.kick(0);
        assertEquals(List.of(22, 23), List.of((int) guest.await(0).writable()[0], (int) guest.await(0).writable()[0]));
        guest.send(1, new byte[4], 4, 4);
    }

    @Test
    @DisplayName("a handler that waits has a thread of its own, which is gone after a reset")
    void shouldServeByAWorker() {
        AtomicReference<Thread> served = new AtomicReference<>();
        CountDownLatch go = new CountDownLatch(1);
        OwnDevice device = OwnDevice.with(chain -> {
            served.set(Thread.currentThread());
            Parked.await(go);
        }).set(queue -> queue.byWorker("own worker"));
        BlockMachine guest = started(device);
        guest.add(0, new byte[1], 1, 1);
        guest.kick(0);
        assertNull(guest.poll(0), "the kick did not wait");
        go.countDown();
        guest.await(0);
        Thread worker = served.get();
        assertEquals("own worker", worker.getName());
        guest.driver().reset();
        Parked.finish(worker);
        BlockMachine again = guest.start();
        again.send(new byte[1], 1);
        assertNotEquals(worker, served.get());
    }

    @Test
    @DisplayName("a worker may idle in a way of its own, and what it throws or interrupts harms nothing")
    void shouldIdleAsItWasTold() {
        AtomicInteger looks = new AtomicInteger();
        OwnDevice device = OwnDevice.with(OwnDevice.echo()).set(queue -> queue.byWorker("own worker", done -> {
            OwnDevice.nap(done);
            Thread.currentThread().interrupt();
            if (looks.incrementAndGet() == 3) {
                Thread.currentThread().setUncaughtExceptionHandler((thread, failure) -> { });
                throw new IllegalStateException("idle");
            }
        }));
        BlockMachine guest = started(device);
        Parked.until(() -> looks.get() > 5);
        assertEquals(3, guest.send(new byte[3], 3).used());
    }

    @Test
    @DisplayName("2.7.10: a polled device serves when it is polled, and in kicks that come all the same")
    void shouldServeWhenItIsPolled() {
        BlockMachine guest = started(OwnDevice.polled(OwnDevice.echo(), OwnDevice.echo()).set(queue -> { }));
        guest.add(0, new byte[5], 5, 5);
        guest.add(1, new byte[5], 5, 5);
        guest.queue(0).publish();
        guest.queue(1).publish();
        assertNull(guest.poll(0));
        assertEquals(2, guest.pollDevice());
        assertEquals(5, Objects.requireNonNull(guest.poll(0)).used());
        assertEquals(0, guest.pollDevice());
        guest.add(0, new byte[5], 5, 5);
        guest.queue(0).publish();
        guest.transport().notifyQueue(0);
        assertNotNull(guest.poll(0));
    }

    @Test
    @DisplayName("a handler that waits is left to polls alone, where its queue says so")
    void shouldServeByPollsAlone() {
        OwnDevice device = OwnDevice.polled(OwnDevice.echo()).set(queue -> queue.byPollsAlone());
        BlockMachine guest = started(device);
        guest.add(0, new byte[5], 5, 5);
        guest.queue(0).publish();
        guest.transport().notifyQueue(0);
        device.queues.getFirst().look();
        assertNull(guest.poll(0));
        assertEquals(1, guest.pollDevice());
        assertNotNull(guest.poll(0));
    }

    @Test
    @DisplayName("buffers wait while the device has no use for them, and a look serves them")
    void shouldTakeBuffersOnlyWhileThereIsUseForThem() {
        AtomicInteger words = new AtomicInteger();
        OwnDevice device = OwnDevice.with(chain -> write(chain, words.getAndDecrement()))
                .set(queue -> queue.onlyWhile(() -> words.get() > 0));
        BlockMachine guest = started(device);
        for (int i = 0; i < 3; i++) {
            guest.add(0, new byte[0], 1, 1);
        }
        guest.kick(0);
        assertNull(guest.poll(0));
        words.set(2);
        device.queues.getFirst().look();
        assertEquals(2, Objects.requireNonNull(guest.poll(0)).writable()[0]);
        assertEquals(1, Objects.requireNonNull(guest.poll(0)).writable()[0]);
        assertNull(guest.poll(0));
        device.queues.getFirst().look();
        assertNull(guest.poll(0));
        words.set(7);
        device.queues.getFirst().look();
        assertEquals(7, Objects.requireNonNull(guest.poll(0)).writable()[0]);
        guest.add(0, new byte[0], 1, 1);
        guest.kick(0);
        assertEquals(6, Objects.requireNonNull(guest.poll(0)).writable()[0], "the driver was asked to notify");
    }

    @Test
    @DisplayName("2.5.1: a change of the configuration is one notification and one generation, of all bytes at once")
    void shouldTellOfConfigurationChanges() {
        OwnDevice device = OwnDevice.with(OwnDevice.echo());
        device.config.change(bytes -> LittleEndian.putI32(bytes, 8, 0x1234_5678));
        BlockMachine guest = started(device);
        assertEquals(0x1234_5678L, guest.config(8, 4));
        int interrupts = guest.interrupts();
        int generation = guest.transport().configGeneration();
        device.config.change(bytes -> {
            LittleEndian.putU16(bytes, 0, 80);
            LittleEndian.putU16(bytes, 2, 25);
        });
        assertEquals(interrupts + 1, guest.interrupts());
        assertEquals(80, guest.config(0, 2));
        assertEquals(25, guest.config(2, 2));
        assertNotEquals(generation, guest.transport().configGeneration());
        assertThrows(IllegalStateException.class, () -> device.config.change(bytes -> {
            LittleEndian.putU16(bytes, 0, 1);
            throw new IllegalStateException("half done");
        }));
        assertEquals(80, guest.config(0, 2));
        guest.transport().writeConfig(0, 4, 0);
        assertEquals(80, guest.config(0, 2), "the driver only reads");
    }

    @Test
    @DisplayName("2.1.2: what a handler throws sets DEVICE_NEEDS_RESET, comes out once, and is over with a reset")
    void shouldSurviveAHandlerThatThrows() {
        AtomicBoolean throwing = new AtomicBoolean(true);
        ChainHandler echo = OwnDevice.echo();
        BlockMachine guest = started(OwnDevice.with(chain -> {
            if (throwing.get()) {
                throw new IllegalStateException("mine");
            }
            echo.serve(chain);
        }));
        guest.add(0, new byte[1], 1, 1);
        assertEquals("mine", assertThrows(IllegalStateException.class, () -> guest.kick(0)).getMessage());
        assertNotEquals(0, guest.transport().status() & NEEDS_RESET);
        throwing.set(false);
        assertEquals(1, guest.start().send(new byte[1], 1).used());
    }

    @Test
    @DisplayName("a buffer that leads nowhere is told by the result, and given back with nothing in it")
    void shouldTellOfBuffersThatLeadNowhere() {
        List<DmaResult> results = new ArrayList<>();
        BlockMachine guest = started(OwnDevice.with(chain -> {
            MemorySegment copy = MemorySegment.ofArray(new byte[64]);
            results.add(chain.read(0, copy, 0, 64));
            results.add(chain.write(0, copy, 0, 64));
        }));
        guest.addAt(0, 0x7fff_0000_0000L, 64, 0x7fff_1000_0000L, 64);
        guest.kick(0);
        assertEquals(0, guest.await(0).used());
        DmaResult expected = kind.behindIommu ? DmaResult.FAULT : DmaResult.BUS_ERROR;
        assertEquals(List.of(expected, expected), results);
        assertEquals(0, guest.transport().status() & NEEDS_RESET);
    }

    @Test
    @DisplayName("where memory is out of reach for a moment the handler is called again, and is told so")
    void shouldRepeatWhatHadNoMemory() {
        List<Boolean> repeated = new ArrayList<>();
        ChainHandler echo = OwnDevice.echo();
        BlockMachine guest = new BlockMachine(kind, OwnDevice.with(chain -> {
            repeated.add(chain.isRepeated());
            echo.serve(chain);
        }), memory -> ram = new ExchangedRam(memory, BORDER, BlockMachine.RAM_END)).start();
        machine = guest;
        guest.add(0, bytes(600_000), 600_000, 600_000);
        Objects.requireNonNull(ram).takeAway(1);
        guest.kick(0);
        assertNull(guest.poll(0), "given back without its answer");
        Objects.requireNonNull(ram).giveBack(1);
        guest.memoryChanged();
        DiskReply reply = Objects.requireNonNull(guest.poll(0));
        assertArrayEquals(bytes(600_000), reply.writable());
        guest.send(new byte[1], 1);
        assertEquals(false, repeated.getFirst());
        assertEquals(List.of(true, false), repeated.subList(repeated.size() - 2, repeated.size()));
    }

    @Test
    @DisplayName("a chain that is postponed waits for a look, and goes on where its handler left it")
    void shouldPostponeWhatCannotGoOn() {
        Narrow narrow = new Narrow(3);
        OwnDevice device = OwnDevice.with(narrow);
        BlockMachine guest = started(device);
        guest.add(0, new byte[2], 1, 2);
        guest.add(0, new byte[5], 1, 5);
        guest.add(0, new byte[1], 1, 1);
        guest.kick(0);
        assertNotNull(guest.poll(0));
        assertNull(guest.poll(0), "one byte of five");
        narrow.room = 3;
        device.queues.getFirst().look();
        assertNull(guest.poll(0), "four of five");
        narrow.room = 10;
        device.queues.getFirst().look();
        assertNotNull(guest.poll(0));
        assertNotNull(guest.poll(0));
        assertEquals(8, narrow.room);
        assertEquals(List.of(false, false, true, true, false), narrow.repeated);
    }

    @Test
    @DisplayName("2.4.2: a chain that is postponed ends with a reset")
    void shouldDropWhatWasPostponed() {
        Narrow narrow = new Narrow(0);
        BlockMachine guest = started(OwnDevice.with(narrow));
        guest.add(0, new byte[5], 1, 5);
        guest.kick(0);
        guest.driver().reset();
        guest.start();
        narrow.room = 1;
        assertEquals(0, guest.send(new byte[1], 1).used());
        assertEquals(List.of(false, false), narrow.repeated);
    }

    /** Takes a byte for each that there is room for, and postpones the rest. */
    private static final class Narrow implements ChainHandler {
        private final List<Boolean> repeated = new ArrayList<>();
        private int room;
        private int done;

        private Narrow(int room) {
            this.room = room;
        }

        @Override
        public void serve(ServedChain chain) {
            repeated.add(chain.isRepeated());
            done = chain.isRepeated() ? done : 0;
            while (done < chain.readableLength() && room > 0) {
                room--;
                done++;
            }
            if (done < chain.readableLength()) {
                chain.postpone();
                assertFalse(chain.keep().complete(), "nobody waits for it");
            }
        }
    }

    @Test
    @DisplayName("2.4.2: a handler at work learns that nobody waits for its chain any more")
    void shouldLearnThatNobodyWaits() {
        List<Boolean> wanted = new ArrayList<>();
        AtomicReference<Runnable> reset = new AtomicReference<>();
        BlockMachine guest = new BlockMachine(kind, OwnDevice.with(chain -> {
            wanted.add(chain.isWanted());
            reset.get().run();
            wanted.add(chain.isWanted());
            wanted.add(chain.write(0, MemorySegment.ofArray(new byte[1]), 0, 1) == DmaResult.OK);
        }));
        machine = guest;
        reset.set(() -> guest.reset(ResetKind.FUNCTION));
        guest.start();
        guest.add(0, new byte[0], 1, 1);
        guest.kick(0);
        assertEquals(List.of(true, false, false), wanted);
    }

    @Test
    @DisplayName("an embedder's mistakes are exceptions with a name, a value and what to do")
    void shouldRefuseMistakes() {
        AtomicReference<ServedChain> late = new AtomicReference<>();
        OwnDevice device = OwnDevice.with(late::set);
        BlockMachine guest = started(device);
        guest.send(new byte[1], 1);
        assertThrows(IllegalStateException.class, () -> late.get().isWanted());
        assertThrows(IllegalStateException.class, () -> late.get().keep());
        assertThrows(IllegalStateException.class, LateQueue::new);
        assertThrows(IndexOutOfBoundsException.class, () -> {
            BlockMachine other = new BlockMachine(kind, OwnDevice.with(
                    chain -> chain.read(0, MemorySegment.ofArray(new byte[9]), 0, 9))).start();
            other.add(0, new byte[8], 1, 8);
            try (other) {
                other.kick(0);
            }
        });
    }

    /** Makes a queue after it was described. */
    private static final class LateQueue extends QueueDevice {
        LateQueue() {
            super(OwnDevice.TYPE);
            assertTrue(info().queueSizes().isEmpty());
            queue(8, chain -> { });
        }
    }

    private static void write(ServedChain chain, int value) {
        chain.write(0, MemorySegment.ofArray(new byte[] {(byte) value}), 0, 1);
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }
}
