// SPDX-License-Identifier: Apache-2.0
/**
 * Virtio over PCI: a device as a function with a configuration space, two memory BARs, MSI-X and a pin (virtio 1.4,
 * section 4.1). Modern devices only; there is no legacy interface.
 *
 * <p>{@link org.virtio4j.pci.VirtioPciFunction} shows any {@link org.virtio4j.device.VirtioDevice} as registers of PCI.
 * A hypervisor passes on every access to the function's configuration space and every access that ends in one of its
 * BARs. {@link org.virtio4j.pci.PciInterrupts} says where interrupts go: the function sends MSI-X messages itself as
 * DMA writes, or gives vectors to an embedder that keeps the table. A hypervisor without PCI gets it from {@link
 * org.virtio4j.pci.PciBus}: two windows to map, in which the guest finds its functions by itself.
 *
 * <p>This package knows registers only. What status, features, queues and resets mean is decided once for all
 * transports, in {@link org.virtio4j.device.transport.DeviceLifecycle}. Where to look for what belongs to PCI alone:
 *
 * <ul>
 * <li>Configuration space: {@code ConfigLayout} places header, BARs and capabilities; {@code PciConfigSpace} reads the
 * registers that the function acts upon; {@code FunctionControl} carries out what a write to them asks for: power
 * states, function level reset, BARs that move.
 * <li>DMA: {@code BusMastering} holds the two gates behind the bus master bit.
 * <li>BARs: {@code BarLayout} says what lies where; {@code BarAccess} checks and decodes each access by BAR number,
 * {@code VirtioStructures} by structure, {@code CommonRegisters} by register of the common configuration.
 * {@code BarWindow} is the way to them through configuration space. {@code BarRoutes} finds the BAR at an address of
 * the bus.
 * <li>Interrupts: {@code FunctionInterrupts} chooses pin or vector for each event. A {@code VectorRoute} takes the
 * vectors: {@code MessageVectors} sends messages, {@code SinkVectors} calls the embedder. Both keep the table that the
 * guest sees ({@code TableRoute}, {@code MsixTableWords}), what is pending ({@code EventVectors}) and what is being
 * sent ({@code InterruptsInFlight}).
 * </ul>
 *
 * <p>More than 20 types, because a function is one thing: all but four of them are its parts,
 * use each other package-privately, and are meant for no other package.
 *
 * <p>A function guards its configuration space with a lock of its own, and releases it before it calls the life cycle,
 * the device or the embedder. A thread that holds it may wait for sections to end when a guest takes bus mastering
 * away.
 */
@NullMarked
package org.virtio4j.pci;

import org.jspecify.annotations.NullMarked;
