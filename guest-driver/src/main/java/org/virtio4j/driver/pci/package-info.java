// SPDX-License-Identifier: Apache-2.0
/**
 * Drives a virtio device through its PCI function (virtio 1.4, section 4.1).
 *
 * <p>{@link org.virtio4j.driver.pci.PciHost} is a host bridge as the guest's CPU sees it: configuration space and a
 * memory window. It finds the virtio functions of a bus, measures their BARs and places them, as firmware and driver do
 * together in a real machine. Each function that it finds is a {@link org.virtio4j.driver.pci.PciDriverTransport},
 * which also has what only PCI has: MSI-X vectors and the function level reset.
 *
 * <p>The other classes are parts of these two. {@code PciFunction} with its configuration space, capabilities and BARs
 * knows PCI and nothing of virtio. {@code FoundStructures} says where the structures of virtio lie in the BARs, and
 * {@code CommonStructure}, {@code QueueNotifier} and {@code MsixTable} access one structure each. Capabilities and BARs
 * are parsed here a second time on purpose: the driver shares no code with the device.
 *
 * <p>Set-up belongs to one thread at a time. Notifying an enabled queue may come from any thread.
 */
@NullMarked
package org.virtio4j.driver.pci;

import org.jspecify.annotations.NullMarked;
