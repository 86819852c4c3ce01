// SPDX-License-Identifier: Apache-2.0
/**
 * Virtio over PCI: a device as a function with a configuration space, two memory BARs, MSI-X and a pin (virtio 1.4,
 * section 4.1). Modern only: there is no legacy interface.
 *
 * <p>{@link org.virtio4j.pci.VirtioPciFunction} puts any {@link org.virtio4j.device.VirtioDevice} behind the registers
 * of PCI. A hypervisor hands it every access to the function's configuration space and every access that ends in one of
 * its BARs. {@link org.virtio4j.pci.PciInterrupts} says where interrupts go: the function sends MSI-X messages of its
 * own as DMA writes, or gives vectors to an embedder who keeps the table. A hypervisor that has no PCI at all gets one
 * with {@link org.virtio4j.pci.PciBus}: two windows to map, and the guest finds its functions there by itself.
 *
 * <p>This package knows registers only. What status, features, queues and resets mean is decided once for all
 * transports, in {@link org.virtio4j.device.DeviceLifecycle}. What belongs to PCI alone is kept here: {@code
 * FunctionSpace} is the configuration space, {@code Bars} says what lies where in the BARs, {@code VirtioStructures}
 * and {@code CommonRegisters} decode what is accessed there, {@code FunctionInterrupts} chooses pin or vector for each
 * event and {@code VectorTable} is the MSI-X table.
 *
 * <p>A function guards its configuration space with a lock of its own, which is let go before anything of the life
 * cycle, of the device or of the embedder is called. Under it a thread may wait for sections to end, when a guest takes
 * bus mastering away.
 */
@NullMarked
package org.virtio4j.pci;

import org.jspecify.annotations.NullMarked;
