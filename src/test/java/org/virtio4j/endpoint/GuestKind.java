// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;

/** How a guest reaches its device and how the device reaches the guest's memory; every test runs over each. */
enum GuestKind {
    MMIO(false, false),
    PCI(true, false),
    MMIO_BEHIND_IOMMU(false, true),
    PCI_BEHIND_IOMMU(true, true);

    private static final long BARS = 0x4000_0000L;
    private static final int BARS_SIZE = 1 << 20;
    private static final int COMMAND = 4;
    private static final int MEMORY_SPACE = 2;
    private static final int BUS_MASTER = 4;

    /**
     * Both ends of a device: what a driver talks to, what the machine resets from outside, may it do DMA, who hears why
     * it stands still, what is called when memory was exchanged, and what a thread calls that polls.
     */
    record Connection(DriverTransport driver, Consumer<ResetKind> reset, Consumer<Boolean> busMastering,
            Consumer<DeviceListener> listener, Runnable memoryChanged, IntSupplier poll) {
    }

    final boolean behindIommu;
    final boolean pci;

    GuestKind(boolean pci, boolean behindIommu) {
        this.pci = pci;
        this.behindIommu = behindIommu;
    }

    /** Puts a device behind the transport; {@code interrupt} runs when the guest is interrupted. */
    Connection connect(VirtioDevice device, DmaSpace dma, Runnable interrupt) {
        return pci ? overPci(device, dma, interrupt) : overMmio(device, dma, interrupt);
    }

    static Connection overMmio(VirtioDevice device, DmaSpace dma, Runnable interrupt) {
        VirtioMmioDevice window = VirtioMmioDevice.of(device, dma, level -> {
            if (level) {
                interrupt.run();
            }
        });
        return new Connection(MmioDriverTransport.of(window), window::reset, on -> { }, window::listener,
                window::memoryChanged, window::poll);
    }

    private static Connection overPci(VirtioDevice device, DmaSpace dma, Runnable interrupt) {
        VirtioPciFunction function = VirtioPciFunction.of(device, dma, PciInterrupts.vectors(vector -> { }, level -> {
            if (level) {
                interrupt.run();
            }
        }));
        PciBus bus = new PciBus(BARS, BARS_SIZE);
        bus.add(1, 0, function);
        PciHost host = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE);
        return new Connection(host.scan().getFirst(), function::reset,
                on -> function.writeConfig(COMMAND, 2, on ? BUS_MASTER | MEMORY_SPACE : MEMORY_SPACE),
                function::listener, function::memoryChanged, function::poll);
    }
}
