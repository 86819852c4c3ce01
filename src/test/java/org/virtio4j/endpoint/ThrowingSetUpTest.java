// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.device.SoleOwner;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.CountedReaders;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.GuestMemory;

/** Callbacks that are called while a device is made, or that hear of a reset which takes long. */
class ThrowingSetUpTest {

    private static final int MOST_CALLS = 200;
    private static final int STARTED = 3;

    @TempDir
    private @Nullable Path folder;

    /** Throws in one call of one of its methods. */
    private static final class Failing extends SilentDevice {

        private final SoleOwner owner = new SoleOwner();
        private final String method;
        private int left;
        private volatile boolean busy;

        Failing(String method, int call) {
            this.method = method;
            this.left = call;
        }

        @Override
        public DeviceInfo info() {
            pass("info");
            return super.info();
        }

        @Override
        public Features offered() {
            pass("offered");
            return super.offered();
        }

        @Override
        public boolean isPolled() {
            pass("isPolled");
            return super.isPolled();
        }

        @Override
        public SoleOwner owner() {
            pass("owner");
            return owner;
        }

        @Override
        public int configVersion() {
            pass("configVersion");
            return super.configVersion();
        }

        @Override
        public boolean isIdle(int queue) {
            return !busy;
        }

        private void pass(String called) {
            if (called.equals(method) && --left == 0) {
                throw new IllegalStateException(method);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"info, false", "info, true", "offered, false", "offered, true", "configVersion, false",
            "configVersion, true", "owner, false", "owner, true", "isPolled, false", "isPolled, true"})
    @DisplayName("A device that throws while it is put behind a transport leaves nothing open")
    void shouldLeaveNothingOpenWhenADeviceThrows(String method, boolean pci) {
        GuestKind kind = pci ? GuestKind.PCI : GuestKind.MMIO;
        CountedReaders translator = new CountedReaders();
        try (GuestMemory memory = new GuestMemory()) {
            DmaSpace dma = DmaSpace.of(memory, translator);
            int calls = 1;
            while (throwsAt(calls, method, kind, dma)) {
                assertEquals(0, translator.open(), "after call " + calls);
                calls++;
            }
            assertTrue(calls > 1 && calls < MOST_CALLS, "was called " + (calls - 1) + " times");
        }
    }

    private static boolean throwsAt(int call, String method, GuestKind kind, DmaSpace dma) {
        try {
            GuestKind.Connection connection = kind.connect(new Failing(method, call), dma, () -> { });
            assertEquals(0, connection.driver().status());
            return false;
        } catch (IllegalStateException thrown) {
            assertEquals(method, thrown.getMessage());
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "answersAtOnce"})
    void shouldThrowWhatAQuestionOfALoopThrows(String question) {
        QueueWork work = new QueueWork() {
            @Override
            public int batch() {
                return answer("batch", 1);
            }

            @Override
            public boolean answersAtOnce() {
                return answer("answersAtOnce", 0) != 0;
            }

            private int answer(String asked, int value) {
                if (asked.equals(question)) {
                    throw new IllegalStateException(question);
                }
                return value;
            }

            @Override
            public void take(int slot, Chain chain) {
                throw new AssertionError();
            }

            @Override
            public boolean work(int count, QueueLoop served) {
                throw new AssertionError();
            }

            @Override
            public boolean answer(int slot, Chain chain) {
                throw new AssertionError();
            }
        };
        IllegalStateException thrown = assertThrows(IllegalStateException.class, () -> new QueueLoop(0, work));
        assertEquals(question, thrown.getMessage());
    }

    @Test
    void shouldLeaveTheFileFreeWhenAnIdleStrategyCannotBeHad() throws IOException {
        Path file = Objects.requireNonNull(folder).resolve("disk.img");
        Files.write(file, new byte[4096]);
        for (int call = 1; call <= 4; call++) {
            AtomicInteger left = new AtomicInteger(call);
            assertThrows(IllegalStateException.class, () -> VirtioBlock.builder(file).queues(4).workers(() -> {
                if (left.decrementAndGet() == 0) {
                    throw new IllegalStateException("get");
                }
                return new BusySpinIdleStrategy();
            }).build());
        }
        VirtioBlock.builder(file).queues(4).build().close();
    }

    /** The listener makes the device idle, and throws. */
    @ParameterizedTest
    @EnumSource(CallbackTrap.Kind.class)
    @DisplayName("2.4.1: who hears of a reset that takes a second and throws does not end it, over MMIO")
    void shouldCompleteAResetOverMmioWhoseListenerThrows(CallbackTrap.Kind kind) {
        resetLate(GuestKind.MMIO, kind);
    }

    @ParameterizedTest
    @EnumSource(CallbackTrap.Kind.class)
    @DisplayName("4.1.4.3.1: who hears of a reset that takes a second and throws does not end it, over PCI")
    void shouldCompleteAResetOverPciWhoseListenerThrows(CallbackTrap.Kind kind) {
        resetLate(GuestKind.PCI, kind);
    }

    private static void resetLate(GuestKind kind, CallbackTrap.Kind how) {
        Failing device = new Failing("", 0);
        try (GuestMemory memory = new GuestMemory()) {
            GuestKind.Connection guest = kind.connect(device, DmaSpace.identity(memory), () -> { });
            guest.listener().accept(new DeviceListener() {
                @Override
                public void resetDelayed(long waitedNanos) {
                    device.busy = false;
                    if (how == CallbackTrap.Kind.INTERRUPTED) {
                        Thread.currentThread().interrupt();
                    }
                    if (how == CallbackTrap.Kind.ERROR) {
                        throw new AssertionError("late");
                    }
                    throw new IllegalStateException("late");
                }
            });
            guest.driver().writeStatus(1);
            guest.driver().writeStatus(STARTED);
            device.busy = true;
            Throwable thrown = assertThrows(Throwable.class, () -> guest.driver().writeStatus(0));
            assertEquals(how == CallbackTrap.Kind.INTERRUPTED, Thread.interrupted());
            assertEquals("late", thrown.getMessage());
            assertEquals(0, thrown.getSuppressed().length);
            assertEquals(0, guest.driver().status());
        }
    }
}
