// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.fixture.Parked;
import org.virtio4j.vmm.GuestMemory;

/** Sections 2.4 and 4.1.4.3.1: a reset while the host's file hangs holds nobody up but who has to wait. */
class HangingFileTest extends BlockTests {

    private static final int SECTORS = 1024;
    private static final int LONG = 300;
    private static final int CAPACITY = 0;

    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final List<Long> delays = new CopyOnWriteArrayList<>();

    /** How the disk is served. */
    enum Serving {
        WORKERS, KICKS;

        VirtioBlockBuilder choose(VirtioBlockBuilder builder) {
            return this == KICKS ? builder.servedInKicks() : builder;
        }
    }

    @AfterEach
    void letGo() {
        go.countDown();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.4.1, 4.1.4.3.1: the status is not 0 until the file answers; all else answers meanwhile")
    void shouldHoldUpNothingElse(Serving serving) {
        BlockMachine other = start(disk(SECTORS));
        BlockMachine machine = start(serving.choose(disk(SECTORS)));
        Thread kicker = hang(machine);
        Thread writer = resetting(machine);
        assertNotEquals(0, machine.transport().status());
        assertEquals(SECTORS, machine.config(CAPACITY, 8));
        assertEquals(2, machine.transport().deviceType());
        assertStatus(DiskRequests.S_OK, other.send(DiskRequests.in(0), SECTOR + 1));
        Parked.until(() -> !delays.isEmpty());
        assertTrue(delays.getFirst() >= 1_000_000_000L);
        assertNotEquals(0, machine.transport().status());
        machine.fill(0x5c);
        go.countDown();
        Parked.finish(writer);
        Parked.finish(kicker);
        Parked.until(() -> machine.transport().status() == 0);
        assertTrue(machine.isFilled(0x5c), "something landed late");
        assertEquals(1, delays.size());
        machine.start();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(0), SECTOR + 1));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.4: callbacks may read status and configuration while another thread resets")
    void shouldLetCallbacksReadWhileAnotherThreadResets(boolean ofConfiguration) {
        BlockMachine machine = start(disk(SECTORS));
        machine.onInterrupt(() -> {
            there.countDown();
            Parked.await(go);
            assertEquals(2L * SECTORS, machine.config(CAPACITY, 8) * (ofConfiguration ? 1 : 2));
            int ignored = machine.transport().status();
        });
        Thread interrupting = new Thread(() -> {
            if (ofConfiguration) {
                resize(2 * SECTORS);
            } else {
                machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
                machine.kick(0);
            }
        }, "interrupting");
        interrupting.start();
        Parked.await(there);
        Thread writer = new Thread(() -> machine.transport().writeStatus(0), "writer");
        writer.start();
        Parked.until(() -> writer.getState() == Thread.State.TIMED_WAITING || !writer.isAlive());
        go.countDown();
        Parked.finish(interrupting);
        Parked.finish(writer);
        Parked.until(() -> machine.transport().status() == 0);
        machine.onInterrupt(() -> { });
        machine.start();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(0), SECTOR + 1));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.4: a reset from within the device's own interrupt waits for everybody but itself")
    void shouldBeResetFromWithinItsInterrupt(Serving serving) {
        BlockMachine machine = start(serving.choose(disk(SECTORS)));
        AtomicInteger status = new AtomicInteger(-1);
        once(machine, () -> {
            machine.transport().writeStatus(0);
            status.set(machine.transport().status());
        });
        machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
        machine.kick(0);
        Parked.until(() -> status.get() == 0);
        machine.start();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(0), SECTOR + 1));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.4: a driver that starts the device anew from within its interrupt is served")
    void shouldBeStartedAnewFromWithinItsInterrupt(Serving serving) {
        BlockMachine machine = start(serving.choose(disk(SECTORS)));
        once(machine, () -> {
            machine.start();
            machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
            machine.kick(0);
            // A new worker has found the old one at work by now, and leaves the kick to it.
            Parked.until(() -> workers().allMatch(thread -> thread.equals(Thread.currentThread())
                    || thread.getState() != Thread.State.RUNNABLE));
            there.countDown();
        });
        machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
        machine.kick(0);
        Parked.await(there);
        assertStatus(DiskRequests.S_OK, machine.await(0));
    }

    @Test
    @DisplayName("The end of a function and of its disk is not held up for ever by a file that hangs")
    void shouldEndInBoundedTime() throws IOException {
        assumeTrue(kind == GuestKind.PCI, "any way of being reached does");
        VirtioBlock disk = build(disk(SECTORS).queueSize(RawFunction.SIZE));
        holdUp();
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            RawFunction raw = new RawFunction(disk, DmaSpace.identity(memory), memory, 0, () -> { });
            raw.function.listener(delayed());
            raw.start(true);
            RawRequests.read(raw.ring(0), 0, 0x8000, 0, SECTOR);
            raw.doorbell(0);
            Parked.await(there);
            Thread closer = new Thread(raw.function::close, "closer");
            closer.start();
            Parked.finish(closer);
            assertEquals(1, delays.size());
            assertThrows(IOException.class, disk::close);
            go.countDown();
            disk.close();
        }
    }

    @Test
    @DisplayName("A resize that waits for a file that hangs does not hold up the end of the disk, which names the file")
    void shouldEndWhileAResizeWaits() {
        BlockMachine machine = start(disk(SECTORS));
        Thread kicker = hang(machine);
        Thread resizer = new Thread(() -> resize(2 * SECTORS), "resizer");
        resizer.start();
        Parked.until(() -> resizer.getState() == Thread.State.TIMED_WAITING);
        List<String> heard = new CopyOnWriteArrayList<>();
        Thread closer = new Thread(
                () -> heard.add(String.valueOf(assertThrows(IOException.class, disk()::close).getMessage())), "closer");
        closer.start();
        Parked.finish(closer);
        assertEquals(List.of(path() + ": the host has not answered a transfer for 2 s; the file stays open"), heard);
        go.countDown();
        Parked.finish(resizer);
        Parked.finish(kicker);
    }

    /** The file hangs in the middle of a long read. */
    private Thread hang(BlockMachine machine) {
        holdUp();
        machine.listener(delayed());
        machine.add(0, DiskRequests.in(0), LONG * SECTOR + 1, Integer.MAX_VALUE);
        Thread kicker = new Thread(() -> machine.kick(0), "kicker");
        kicker.start();
        Parked.await(there);
        return kicker;
    }

    private void holdUp() {
        AtomicBoolean first = new AtomicBoolean(true);
        file().hook = (operation, position) -> {
            if (operation == Operation.READ && first.getAndSet(false)) {
                there.countDown();
                Parked.await(go);
            }
        };
    }

    private DeviceListener delayed() {
        return new DeviceListener() {
            @Override
            public void resetDelayed(long waitedNanos) {
                delays.add(waitedNanos);
            }
        };
    }

    /** Over PCI the write has returned when this does; over MMIO it waits. */
    private Thread resetting(BlockMachine machine) {
        Thread writer = new Thread(() -> machine.transport().writeStatus(0), "writer");
        writer.start();
        if (kind.pci) {
            Parked.finish(writer);
        } else {
            Parked.until(() -> writer.getState() == Thread.State.TIMED_WAITING);
        }
        return writer;
    }

    /** Runs in the next interrupt alone. */
    private static void once(BlockMachine machine, Runnable action) {
        AtomicBoolean first = new AtomicBoolean(true);
        machine.onInterrupt(() -> {
            if (first.getAndSet(false)) {
                action.run();
            }
        });
    }

    private void resize(long sectors) {
        try {
            disk().resize(sectors * SECTOR);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static Stream<Thread> workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("virtio4j disk queue"));
    }
}
