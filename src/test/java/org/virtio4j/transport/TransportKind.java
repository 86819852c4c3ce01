// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;

/** The ways a guest can reach a device, and be reached by it. Whatever a transport can do differently is said here. */
public enum TransportKind {

    /** Registers of virtio-mmio, version 2, and one line. */
    MMIO,
    /** A PCI function and its pin. */
    PCI_PIN,
    /** A PCI function whose MSI-X messages are DMA writes to a doorbell. */
    PCI_MESSAGES,
    /** A PCI function whose MSI-X table is the embedder's. */
    PCI_VECTORS;

    /**
     * Puts a device behind this transport, and lets a guest find it; {@code onInterrupt} runs when the guest is
     * interrupted.
     */
    public Port connect(VirtioDevice device, DmaSpace dma, Runnable onInterrupt) {
        Interrupts interrupts = new Interrupts(onInterrupt);
        return switch (this) {
            case MMIO -> new MmioPort(device, dma, interrupts);
            case PCI_PIN -> new PciPort(device, dma, interrupts, PciPort.Signalling.PIN);
            case PCI_MESSAGES -> new PciPort(device, dma, interrupts, PciPort.Signalling.MESSAGES);
            case PCI_VECTORS -> new PciPort(device, dma, interrupts, PciPort.Signalling.VECTORS);
        };
    }

    /** Whether this is one of the ways a PCI function can interrupt. */
    public boolean isPci() {
        return this != MMIO;
    }

    /** Whether a register keeps an event until the guest has taken it; where not, what has arrived is the guest's. */
    public boolean keepsEvents() {
        return this == MMIO || this == PCI_PIN;
    }

    /** Whether a driver can disable a queue without a reset. */
    public boolean disablesQueues() {
        return this == MMIO;
    }
}
