// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of virtio over PCI (virtio 1.4, section 4.1), and as much of PCI itself as a virtio function shows.
 *
 * <p>A function begins as 256 bytes of configuration space. {@link org.virtio4j.wire.pci.PciHeader} is its first part:
 * who the function is, its command and status registers, where its memory windows (BARs) lie. Behind it follows a list
 * of capabilities, each begun by a {@link org.virtio4j.wire.pci.PciCapability}: {@link
 * org.virtio4j.wire.pci.ExpressCapability} with the function's reset, {@link org.virtio4j.wire.pci.MsixCapability} with
 * the place of its table of {@link org.virtio4j.wire.pci.MsixEntry}s, and several of {@link
 * org.virtio4j.wire.pci.VirtioCapability}, which say where in which BAR the structures of virtio are: {@link
 * org.virtio4j.wire.pci.CommonConfig}, the notification addresses, {@link org.virtio4j.wire.pci.IsrStatus} and the
 * configuration of the device type.
 *
 * <p>Offsets and sizes are {@code long} and in bytes; register values and bits are {@code int}. Every multi-byte field
 * is little-endian. All members are constants and may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire.pci;

import org.jspecify.annotations.NullMarked;
