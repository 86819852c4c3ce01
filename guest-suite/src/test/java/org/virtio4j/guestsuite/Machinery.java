// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;

/** How IOMMU, entropy source and disk are connected with each other and with QEMU. */
interface Machinery extends AutoCloseable {

    /** Where each lies: not where the command puts it, and not side by side. */
    PciAddress IOMMU = PciAddress.of("00:05.0");
    /** The entropy source. */
    PciAddress ENTROPY = PciAddress.of("00:07.0");
    /** The disk. */
    PciAddress DISK = PciAddress.of("00:0c.0");

    /** The IOMMU. */
    VirtioIommu iommu();

    /** What the DMA of an endpoint goes through. */
    DmaSpace dma(PciAddress endpoint);

    /** How many functions QEMU uses. */
    int connected();

    /** What must not happen. */
    Optional<String> failure();

    /** Tells QEMU where they are. */
    void addTo(QemuArguments arguments) throws IOException;

    @Override
    void close() throws IOException;

    /** Tells QEMU of functions and a table in a folder, by the names that the command {@code serve} gives them. */
    static void addTo(QemuArguments arguments, Path folder) {
        arguments.viot(folder.resolve("viot"));
        arguments.served(IOMMU, folder.resolve("iommu.sock"));
        arguments.served(ENTROPY, folder.resolve("rng-07.0.sock"));
        arguments.served(DISK, folder.resolve("disk-0c.0.sock"));
    }
}
