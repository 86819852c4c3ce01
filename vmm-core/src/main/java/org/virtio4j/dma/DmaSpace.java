// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MessageSink;

/**
 * What a device sees when it does DMA: guest memory through a translator. Rings and buffers alike are reached through
 * it, so a device cannot tell whether an IOMMU stands before it (virtio 1.4, section 6, {@code
 * VIRTIO_F_ACCESS_PLATFORM}).
 *
 * <p>A space is immutable and may be shared between threads; each user opens its own {@link DmaHandle}.
 */
public final class DmaSpace {

    private final GuestMemory memory;
    private final Translator translator;
    private final int requesterId;
    private final @Nullable DmaGate gate;

    private DmaSpace(GuestMemory memory, Translator translator, int requesterId, @Nullable DmaGate gate) {
        this.memory = memory;
        this.translator = translator;
        this.requesterId = requesterId;
        this.gate = gate;
    }

    /**
     * Guest-physical addresses as they are.
     *
     * @param memory the memory
     * @return a space for a device with no IOMMU before it
     */
    public static DmaSpace identity(GuestMemory memory) {
        return identity(memory, 0);
    }

    /**
     * Guest-physical addresses as they are, for a device with a name on its bus.
     *
     * @param memory      the memory
     * @param requesterId what {@link MessageSink#send} is told, bus/device/function for PCI
     * @return a space for a device with no IOMMU before it
     */
    public static DmaSpace identity(GuestMemory memory, int requesterId) {
        return new DmaSpace(memory, IdentityTranslator.INSTANCE, requesterId, null);
    }

    /**
     * Addresses that a translator gives a meaning.
     *
     * @param memory     the memory
     * @param translator usually an endpoint of an IOMMU
     * @return a space for a device whose interrupt messages carry requester 0
     */
    public static DmaSpace of(GuestMemory memory, Translator translator) {
        return of(memory, translator, 0);
    }

    /**
     * Addresses that a translator gives a meaning, for a device with a name on its bus.
     *
     * @param memory      the memory
     * @param translator  usually an endpoint of an IOMMU
     * @param requesterId what {@link MessageSink#send} is told, bus/device/function for PCI
     * @return the space
     */
    public static DmaSpace of(GuestMemory memory, Translator translator, int requesterId) {
        return new DmaSpace(memory, translator, requesterId, null);
    }

    /**
     * The same space behind a gate. Handles opened through this space before know nothing of it.
     *
     * @param newGate lets DMA through or not; it replaces a gate that this space has
     * @return a new space
     */
    public DmaSpace behind(DmaGate newGate) {
        return new DmaSpace(memory, translator, requesterId, newGate);
    }

    /**
     * Whether addresses are anything but guest-physical ones, so that {@code ACCESS_PLATFORM} must be offered.
     *
     * @return false for {@link #identity}
     */
    public boolean translated() {
        return translator != IdentityTranslator.INSTANCE;
    }

    /**
     * The memory behind the translator.
     *
     * @return the same object as given
     */
    public GuestMemory memory() {
        return memory;
    }

    /**
     * Opens a door into this space, at set-up: for one queue, or one worker.
     *
     * @param holder who will use it; appears in reports about sections that do not end
     * @return a handle with no section open
     */
    public DmaHandle open(String holder) {
        return new DmaHandle(memory, translator, requesterId, gate, holder, false);
    }

    /**
     * Opens a way to send interrupt messages, at set-up: one for all vectors of a device.
     *
     * @param holder who will use it; appears in reports about sections that do not end
     * @return a sender that any thread may use
     */
    public MessageSender messages(String holder) {
        return new MessageSender(new DmaHandle(memory, translator, requesterId, gate, holder, true));
    }
}
