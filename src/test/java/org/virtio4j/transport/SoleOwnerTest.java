// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.SoleOwner;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.grace.ReaderSlot;

/** A device belongs to one window or function at a time; this runs for each kind of the first. */
@ParameterizedClass
@EnumSource(names = {"MMIO", "PCI_PIN"})
class SoleOwnerTest {

    private static final String REFUSAL = "has a window or function already; close that first, or make another device";

    @Parameter
    TransportKind first = TransportKind.MMIO;

    private final GuestMemory memory = GuestMemory.anonymous(0, 1 << 20);

    /** Counts the phases of its resets. */
    private static final class Guarded extends SilentDevice {

        private final SoleOwner owner = new SoleOwner();
        private final AtomicInteger resets = new AtomicInteger();

        @Override
        public SoleOwner owner() {
            return owner;
        }

        @Override
        public void stop() {
            resets.incrementAndGet();
        }

        @Override
        public void reset(ResetKind kind) {
            resets.incrementAndGet();
        }
    }

    private static List<VirtioDevice> devices() {
        return List.of(VirtioIommu.builder().endpoint(1).maxMappings(16).build(), new Guarded());
    }

    private AutoCloseable make(TransportKind kind, VirtioDevice device) {
        DmaSpace dma = DmaSpace.identity(memory);
        return kind.isPci() ? VirtioPciFunction.of(device, dma, PciInterrupts.messages())
                : VirtioMmioDevice.of(device, dma, level -> { });
    }

    @ParameterizedTest
    @EnumSource(names = {"MMIO", "PCI_PIN"})
    @DisplayName("a second window or function is refused at once, and the first goes on")
    void shouldRefuseASecondWindowOrFunction(TransportKind second) throws Exception {
        for (VirtioDevice device : devices()) {
            try (AutoCloseable owner = make(first, device)) {
                IllegalStateException refusal =
                        assertThrows(IllegalStateException.class, () -> make(second, device));
                String message = String.valueOf(refusal.getMessage());
                assertTrue(message.startsWith("device=") && message.contains(REFUSAL), message);
                assertThrows(IllegalStateException.class, () -> make(second, device));
                assertEquals(0, owner instanceof VirtioMmioDevice window ? window.read(0x70, 4) : 0);
            }
            if (device instanceof AutoCloseable closeable) {
                closeable.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"MMIO", "PCI_PIN"})
    @DisplayName("once the first is closed, another may have the device, which the first leaves alone from then on")
    void shouldGiveADeviceToAnotherOnceItsFirstIsClosed(TransportKind second) throws Exception {
        Guarded device = new Guarded();
        AutoCloseable before = make(first, device);
        before.close();
        int resets = device.resets.get();
        try (AutoCloseable owner = make(second, device)) {
            before.close();
            if (before instanceof VirtioMmioDevice window) {
                window.write(0x70, 4, 0);
                window.reset(ResetKind.SYSTEM);
            } else {
                assertTrue(((VirtioPciFunction) before).reset(ResetKind.SYSTEM));
            }
            assertEquals(resets, device.resets.get(), "the device was reset by who does not have it any more");
            assertThrows(IllegalStateException.class, () -> make(first, device));
            assertThrows(IllegalStateException.class, () -> make(second, device), () -> owner + " has it");
        }
    }

    @Test
    @DisplayName("a device that was refused for another reason is taken by nobody")
    void shouldNotBeTakenByWhatWasNeverMade() throws Exception {
        Guarded device = new Guarded();
        DmaSpace refusing = DmaSpace.of(memory, new Refusing());
        assertThrows(IllegalStateException.class,
                () -> VirtioPciFunction.of(device, refusing, PciInterrupts.messages()));
        make(first, device).close();
    }

    /** Lets nobody in. */
    private static final class Refusing implements Translator {

        @Override
        public TranslateResult translate(long iova, Access access, ExtentSink out) {
            return TranslateResult.NO_MAPPING;
        }

        @Override
        public long generation() {
            return 0;
        }

        @Override
        public void join(ReaderSlot slot) {
            throw new IllegalStateException("full");
        }

        @Override
        public void part(ReaderSlot slot) {
            // Nobody is in.
        }

        @Override
        public void faulted(TranslateResult reason, long iova, Access access) {
            // Nobody accesses anything.
        }
    }
}
