// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.input;

import java.util.List;
import java.util.Locale;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;

/** What a replayed driver reaches its device through. */
public enum ReplayTransport {
    /** A register window of virtio-mmio. */
    MMIO {
        @Override
        public Connection connect(VirtioDevice device, DmaSpace dma) {
            VirtioMmioDevice window = VirtioMmioDevice.of(device, dma, level -> { });
            return new Connection(MmioDriverTransport.of(window), () -> window.reset(ResetKind.SYSTEM));
        }
    },
    /** A PCI function on a bus of its own, where the driver finds it and places its BARs. */
    PCI {
        @Override
        public Connection connect(VirtioDevice device, DmaSpace dma) {
            VirtioPciFunction function = VirtioPciFunction.of(device, dma,
                    PciInterrupts.vectors(vector -> { }, level -> { }));
            PciBus bus = new PciBus(BAR_START, BAR_SIZE);
            bus.add(SLOT, 0, function);
            PciHost host = new PciHost(bus.ecam(), bus.memory(), BAR_START, BAR_SIZE);
            return new Connection(find(host), () -> {
                function.reset(ResetKind.SYSTEM);
                find(host);
            });
        }
    };

    /** Just before 4 GiB: a BAR of 32 bits lies below, one of 64 bits above, and half of its address leads nowhere. */
    private static final long BAR_START = 0xffff_f000L;
    private static final long BAR_SIZE = 1L << 32;
    private static final int SLOT = 3;

    /**
     * A device and the driver's way to it.
     *
     * @param transport of the driver
     * @param reset     what happens to the device when its machine is reset, with what firmware does after it: the
     *                  transport is good as before
     */
    public record Connection(DriverTransport transport, Runnable reset) {
    }

    /**
     * Makes the registers of a device that belongs to nobody yet.
     *
     * @param device the device
     * @param dma what its DMA goes through
     * @return the driver's way to it
     */
    public abstract Connection connect(VirtioDevice device, DmaSpace dma);

    /** There is nothing else on the bus, so that the function is always placed alike. */
    private static PciDriverTransport find(PciHost host) {
        List<PciDriverTransport> found = host.scan();
        if (found.isEmpty()) {
            throw new IllegalStateException("discovery=" + host.discovery(SLOT, 0)
                    + ", but a function of this project is found");
        }
        return found.getFirst();
    }

    /** As an option has it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
