// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Optional;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.InterruptSink;

/**
 * How a function's interrupts leave it: by MSI-X once the guest has enabled it, by its pin before.
 *
 * @param vectors takes the MSI-X vectors as numbers, for an embedder who delivers them. He may keep the table that the
 *                guest sees himself, as QEMU does: the mask of an entry counts here once the entry was written here,
 *                and the mask of the function always does. Without it the function sends the messages of its own table
 *                as DMA writes, which end in a {@linkplain org.virtio4j.vmm.GuestMemory#addDoorbell doorbell region}
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
     * @param vectors told of each interrupt, on the thread that causes it or lets it go; what the guest has masked in
     *                a table of the embedder's is his to know
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
