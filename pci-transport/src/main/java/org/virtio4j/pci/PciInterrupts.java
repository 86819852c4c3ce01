// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Optional;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.InterruptSink;

/**
 * Where a function's interrupts go: MSI-X once the guest has enabled it, the pin before.
 *
 * @param vectors takes the MSI-X vectors as numbers, if the embedder delivers them. The embedder may keep the table
 *                that the guest sees, as QEMU does: the mask of an entry counts here once the entry was written here,
 *                and the mask of the function always counts. Without it the function sends the messages of its own
 *                table as DMA writes, which end in a {@linkplain org.virtio4j.vmm.GuestMemory#addDoorbell doorbell
 *                region}
 * @param pin     INTA#; without it the function has no pin, and a guest that leaves MSI-X off must poll
 */
public record PciInterrupts(Optional<InterruptSink> vectors, Optional<InterruptLine> pin) {

    /**
     * Messages that the function sends itself.
     *
     * @param pin the interrupt input that the guest uses without MSI-X; low at the start, and not set so
     * @return both ways
     */
    public static PciInterrupts messages(InterruptLine pin) {
        return new PciInterrupts(Optional.empty(), Optional.of(pin));
    }

    /**
     * Messages that the function sends itself, and no pin.
     *
     * @return MSI-X only
     */
    public static PciInterrupts messages() {
        return new PciInterrupts(Optional.empty(), Optional.empty());
    }

    /**
     * Vectors for the embedder to deliver.
     *
     * @param vectors called for each interrupt, on the thread that causes it or unmasks it; if the embedder keeps the
     *                table, it must look itself at what the guest has masked there
     * @param pin     the interrupt input that the guest uses without MSI-X; low at the start, and not set so
     * @return both ways
     */
    public static PciInterrupts vectors(InterruptSink vectors, InterruptLine pin) {
        return new PciInterrupts(Optional.of(vectors), Optional.of(pin));
    }

    /**
     * Vectors for the embedder to deliver, and no pin.
     *
     * @param vectors as in {@link #vectors(InterruptSink, InterruptLine)}
     * @return MSI-X only
     */
    public static PciInterrupts vectors(InterruptSink vectors) {
        return new PciInterrupts(Optional.of(vectors), Optional.empty());
    }
}
