// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.AddressLookup;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.MessageSink;

/**
 * Sends the interrupt messages of one handle: finds the doorbell region that a 32-bit write reaches, inside a section,
 * and calls the region's sink after the section. It belongs to the handle's owner.
 */
final class MessageDelivery {

    private final DmaHandle dma;
    private final AddressLookup lookup;
    private final int requesterId;

    /** What {@link #find} found last. */
    private @Nullable MessageSink sink;
    private long address;

    MessageDelivery(DmaHandle dma, AddressLookup lookup, int requesterId) {
        this.dma = dma;
        this.lookup = lookup;
        this.requesterId = requesterId;
    }

    /** See {@link DmaHandle#send}. */
    DmaResult send(long iova, int data) {
        dma.enter();
        DmaResult result;
        MessageSink to;
        long at;
        try {
            result = find(iova);
            to = sink;
            at = address;
        } finally {
            dma.leave();
        }
        // The fields may be another thread's by now.
        deliver(to, at, data);
        return result;
    }

    /** Finds where a message goes, inside a section: {@link #sink} and {@link #address} are set then. */
    DmaResult find(long iova) {
        sink = null;
        if (!dma.live()) {
            return DmaResult.CLOSED;
        }
        TranslateResult translated = lookup.find(iova, Access.WRITE);
        if (translated != TranslateResult.OK) {
            lookup.refuse(translated, iova, Access.WRITE);
            return DmaResult.FAULT;
        }
        address = lookup.last().gpa(iova);
        MemoryRegion region = dma.region(address);
        sink = region == null ? null : region.doorbell();
        return sink == null ? DmaResult.BUS_ERROR : DmaResult.OK;
    }

    /** The sink that takes the message; null where there is no doorbell. */
    @Nullable MessageSink sink() {
        return sink;
    }

    /** The guest-physical address of the message. */
    long address() {
        return address;
    }

    /** The reason why {@link #find} was refused, for {@link #report}; taken in the section or after it. */
    TranslateResult takeFault() {
        return lookup.takeFault();
    }

    /** Tells the translator of a message that was refused, outside any section and under no lock. */
    void report(TranslateResult reason, long iova) {
        lookup.report(reason, iova, Access.WRITE);
    }

    /** Hands a message over; outside any section and under no lock, because the sink is the embedder's. */
    void deliver(@Nullable MessageSink to, long at, int data) {
        if (to != null) {
            to.send(requesterId, at, data);
        }
    }
}
