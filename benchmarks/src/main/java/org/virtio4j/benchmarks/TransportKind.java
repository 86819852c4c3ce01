// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.util.function.IntSupplier;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.MmioRegister;

/**
 * The transports that a device can stand behind. Interrupts go nowhere. The doorbell is the access that an embedder
 * hands to the transport: which window the guest's address lies in, the embedder has found out before.
 */
public enum TransportKind {

    /** The register window of virtio-mmio; the doorbell is {@code QueueNotify}. */
    MMIO {
        @Override
        public Attached attach(VirtioDevice device, GuestMemory memory) {
            VirtioMmioDevice window = VirtioMmioDevice.of(device, DmaSpace.identity(memory), level -> { });
            return new Attached(MmioDriverTransport.of(window),
                    () -> window.write(MmioRegister.QUEUE_NOTIFY, Integer.BYTES, 0), window::poll);
        }
    },

    /** A PCI function; the doorbell is the notification address of queue 0, an offset into a BAR. */
    PCI {
        @Override
        public Attached attach(VirtioDevice device, GuestMemory memory) {
            VirtioPciFunction function = VirtioPciFunction.of(device, DmaSpace.identity(memory),
                    PciInterrupts.messages(level -> { }));
            PciBus bus = new PciBus(WINDOW, WINDOW_SIZE);
            bus.add(1, 0, function);
            LastWrite seen = new LastWrite(bus.memory());
            DriverTransport driver = new PciHost(bus.ecam(), seen, WINDOW, WINDOW_SIZE).scan().getFirst();
            // Nothing is enabled yet, so this kick does nothing but show where the driver finds the doorbell.
            driver.notifyQueue(0);
            int bar = barAt(function, WINDOW + seen.offset);
            long offset = WINDOW + seen.offset - function.barAddress(bar);
            int width = seen.width;
            return new Attached(driver, () -> function.writeBar(bar, offset, width, 0), function::poll);
        }
    };

    private static final long WINDOW = 0xf000_0000L;
    private static final long WINDOW_SIZE = 1 << 24;
    private static final int BARS = 6;

    /** A device behind a transport: the driver's way to set it up, its doorbell, and what comes instead of that. */
    public record Attached(DriverTransport driver, Doorbell doorbell, IntSupplier poll) {
    }

    public abstract Attached attach(VirtioDevice device, GuestMemory memory);

    private static int barAt(VirtioPciFunction function, long address) {
        for (int bar = 0; bar < BARS; bar++) {
            long start = function.barAddress(bar);
            if (start != VirtioPciFunction.NOT_MAPPED && address >= start && address - start < function.barSize(bar)) {
                return bar;
            }
        }
        throw new IllegalStateException("address=0x" + Long.toHexString(address) + " lies in no BAR");
    }

    /** Passes accesses on and remembers where the last one wrote. */
    private static final class LastWrite implements RegisterHandler {

        private final RegisterHandler handler;
        private long offset;
        private int width;

        LastWrite(RegisterHandler handler) {
            this.handler = handler;
        }

        @Override
        public long read(long at, int bytes) {
            return handler.read(at, bytes);
        }

        @Override
        public void write(long at, int bytes, long value) {
            offset = at;
            width = bytes;
            handler.write(at, bytes, value);
        }
    }
}
