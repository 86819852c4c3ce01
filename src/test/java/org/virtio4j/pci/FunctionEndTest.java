// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.CountedReaders;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** What a guest may still do to a function that has ended, and what an end leaves behind when an embedder throws. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FunctionEndTest {

    private static final int FIRST_BAR = 0x10;

    @Test
    @DisplayName("a function that was closed stays as after power-on, whatever its guest writes")
    void shouldIgnoreAGuestWhenItWasClosed() {
        try (PciGuest guest = PciGuest.sendingMessages()) {
            guest.start();
            guest.useMessages();
            guest.function.close();
            guest.device.take();
            guest.write(FIRST_BAR, 4, 0x8000_0000);
            guest.command(PciGuest.ON);
            guest.useMessages();
            guest.put(PciSpec.DRIVER_FEATURE_SELECT, 4, 1);
            guest.put(PciSpec.DRIVER_FEATURE, 4, 1);
            guest.put(PciSpec.DEVICE_STATUS, 1, PciSpec.RUNNING);
            guest.functionReset();
            assertEquals(0, guest.read(PciSpec.COMMAND, 2));
            assertEquals(0, guest.read(FIRST_BAR, 4) & ~0xf);
            assertEquals(0, guest.read(guest.capability(PciSpec.CAP_MSIX) + 2, 2) & 0xc000);
            assertEquals(0xff, guest.get(PciSpec.DEVICE_STATUS, 1), "memory space is off");
            assertEquals(VirtioPciFunction.NOT_MAPPED, guest.function.barAddress(PciGuest.VIRTIO_BAR));
            assertNull(guest.device.context);
            assertEquals(List.of(), guest.device.take());
        }
    }

    @Test
    @DisplayName("PCI 6.2.2: bus mastering ends for data and messages, also when a listener of stalls throws")
    void shouldReachNoMemoryWhenAListenerThrowsAsBusMasteringEnds() {
        RuntimeException thrown = new IllegalStateException("on purpose");
        try (PciGuest guest = hearing(thrown)) {
            guest.start();
            DeviceQueue queue = Objects.requireNonNull(guest.context().queue(0));
            stall(guest, thrown, () -> guest.command(PciSpec.MEMORY_SPACE));
            queue.enter();
            assertFalse(queue.isReachable());
            queue.leave();
        }
    }

    @Test
    @DisplayName("2.4.1: the pin is low after a reset of the function, also when a listener of stalls throws in it")
    void shouldLowerThePinWhenAListenerThrowsInAReset() {
        RuntimeException thrown = new IllegalStateException("on purpose");
        try (PciGuest guest = hearing(thrown)) {
            guest.start();
            guest.context().interrupt(0);
            stall(guest, thrown, guest::functionReset);
            assertFalse(guest.pin());
            assertEquals(0, guest.read(PciSpec.COMMAND, 2));
            guest.command(PciGuest.ON);
            assertEquals(0, guest.get(PciSpec.DEVICE_STATUS, 1));
        }
    }

    @Test
    @DisplayName("a function that is refused holds nothing in its memory and its IOMMU")
    void shouldLeaveNothingWhenTheDeviceIsRefused() {
        CountedReaders translator = new CountedReaders();
        try (GuestMemory memory = new GuestMemory()) {
            DmaSpace dma = DmaSpace.of(memory, translator);
            RecordingDevice device = new RecordingDevice(Features.of(FeatureBit.RING_PACKED));
            assertThrows(IllegalArgumentException.class,
                    () -> VirtioPciFunction.of(device, dma, PciInterrupts.messages()));
            assertEquals(0, translator.open());
            VirtioPciFunction function = VirtioPciFunction.of(new RecordingDevice(), dma, PciInterrupts.messages());
            assertEquals(1, translator.open(), "its messages");
            function.close();
            assertEquals(0, translator.open());
        }
    }

    private static PciGuest hearing(RuntimeException thrown) {
        AtomicReference<@Nullable RuntimeException> once = new AtomicReference<>(thrown);
        return PciGuest.hearingOfStalls((holder, waitedNanos) -> {
            RuntimeException now = once.getAndSet(null);
            if (now != null) {
                throw now;
            }
        });
    }

    /** What the guest does waits for a section of somebody else's, until the listener has heard of it. */
    private static void stall(PciGuest guest, RuntimeException thrown, Runnable access) {
        DmaHandle other = DmaSpace.identity(guest.memory).open("other");
        AtomicReference<@Nullable Throwable> out = new AtomicReference<>();
        try (Parked section = Parked.between(other::enter, other::leave)) {
            Thread cpu = new Thread(access, "CPU");
            cpu.setUncaughtExceptionHandler((thread, problem) -> out.set(problem));
            cpu.start();
            Parked.until(() -> guest.memory.gracePeriods().stalls() != 0);
            section.letGo();
            Parked.finish(cpu);
        }
        other.close();
        assertSame(thrown, out.get());
    }
}
