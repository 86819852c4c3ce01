// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.grace.ReaderSlot;

/**
 * Turns I/O-virtual addresses into guest-physical ones: addresses only, never memory. The identity is one, an endpoint
 * of an IOMMU another.
 *
 * <p>Extents begin and end at multiples of {@link GuestMemory#PAGE_SIZE} on both sides, so that no field of a ring is
 * torn.
 *
 * <p>Any number of threads translate at once, each inside a section of its {@code DmaHandle}. Code that takes a
 * translation away waits until each joined {@link ReaderSlot} has left the section it may have been in; only then is
 * the translation gone.
 *
 * <p>{@link #join} is called under the control lock of the device whose queue is opened, {@link #part} and {@link
 * #faulted} under no lock; for an IOMMU's own queues, these two under that IOMMU's lock.
 */
public interface Translator {

    /**
     * Looks one address up. Called inside a section of a handle whose slot has joined; takes no lock, allocates
     * nothing.
     *
     * @param iova   I/O-virtual address
     * @param access what the device is about to do there
     * @param out    receives the whole extent around {@code iova}, only when the result is {@link TranslateResult#OK}
     * @return whether the access may go on, and if not why
     */
    TranslateResult translate(long iova, Access access, ExtentSink out);

    /**
     * A number that moves whenever an earlier translation may have been taken away. What was resolved under one value
     * holds in every later section that starts by reading the same value. The load acquires: a reader that sees a value
     * sees what was done before it moved there.
     *
     * @return the present value; it only grows
     */
    long generation();

    /**
     * What the handles of this translator remember from section to section. Without that, each section asks for each
     * extent that it uses.
     *
     * @return the same object each time, through which this translator makes them forget what it takes away; null, the
     *         default, if handles must not remember anything beyond a section
     */
    default @Nullable TranslationCaches caches() {
        return null;
    }

    /**
     * Makes a reader known, before its first section. Any thread.
     *
     * @param slot the reader's slot
     */
    void join(ReaderSlot slot);

    /**
     * Removes a reader that will open no section any more. Any thread.
     *
     * @param slot a slot that joined before
     */
    void part(ReaderSlot slot);

    /**
     * Hears of a refused access, after the section it happened in, on the thread of the handle, which holds no lock.
     *
     * @param reason why the access was refused, never {@link TranslateResult#OK}
     * @param iova   the first I/O-virtual address that was refused
     * @param access what was attempted
     */
    void faulted(TranslateResult reason, long iova, Access access);
}
