// SPDX-License-Identifier: Apache-2.0
/**
 * How devices reach guest memory.
 *
 * <p>A device sees a {@link org.virtio4j.dma.DmaSpace}: guest memory through a {@link
 * org.virtio4j.dma.translate.Translator}, which is the identity or an endpoint of an IOMMU. Each user of a space opens
 * a {@link org.virtio4j.dma.DmaHandle}, enters a section, finds the pieces of a buffer with a {@link
 * org.virtio4j.dma.DmaCursor} or copies, and leaves. {@link org.virtio4j.dma.MessageSender} sends interrupt messages
 * the same way. A {@link org.virtio4j.dma.DmaGate} stops all DMA of a device.
 *
 * <h2>Glossary</h2>
 *
 * <p>Words of this project, which the specification does not have. Each has one meaning everywhere.
 *
 * <dl>
 * <dt>handle</dt>
 * <dd>One user's door into a DMA space. It is opened for one queue or one worker, is used by one thread at a time, and
 * is closed at the end.</dd>
 * <dt>section</dt>
 * <dd>The time between {@code enter} and {@code leave} of a handle. Guest memory is reached only inside one. Sections
 * are short: no waiting, no lock, no callback, at most 64 KiB for an access.</dd>
 * <dt>extent</dt>
 * <dd>A stretch of I/O-virtual addresses that lie one behind the other in guest-physical addresses too: one mapping, or
 * the part of it that was asked for.</dd>
 * <dt>slot</dt>
 * <dd>The word of a reader that says whether it is inside a section ({@link org.virtio4j.vmm.grace.ReaderSlot}). Each
 * handle has one.</dd>
 * <dt>grace period</dt>
 * <dd>The wait until no section is open that may have seen what was taken away.</dd>
 * <dt>retire</dt>
 * <dd>To take something out of use while readers may still see it: a node or a place of the mapping table.</dd>
 * <dt>reclaim</dt>
 * <dd>To make what was retired free for use again. It happens after the grace period only.</dd>
 * <dt>lease</dt>
 * <dd>What was resolved once and holds as long as neither memory nor translation has changed: where the parts of a ring
 * lie, or the buffer of a chain. It is checked in each section, and renewed when it has expired.</dd>
 * <dt>generation</dt>
 * <dd>A number that grows whenever memory or translation changes: as long as {@link
 * org.virtio4j.dma.DmaHandle#generation} is the same, leases hold. Only equality means something. The specification's
 * configuration generation is another number, and is always called by its full name.</dd>
 * <dt>forget</dt>
 * <dd>To drop a translation that a handle has remembered, because the translator has taken it away. Handles remember
 * extents in a cache each ({@link org.virtio4j.dma.translate.TranslationCaches}).</dd>
 * <dt>exchange</dt>
 * <dd>The time in which the embedder takes guest memory away and gives it back in other pieces, from {@link
 * org.virtio4j.vmm.GuestMemory#beginExchange} to {@link org.virtio4j.vmm.GuestMemory#endExchange}. A ring that is
 * missing meanwhile is not the driver's fault.</dd>
 * <dt>withdraw</dt>
 * <dd>To take back an interrupt that was raised and not delivered, because its queue or its device was reset or its
 * event was mapped to another vector.</dd>
 * <dt>epoch</dt>
 * <dd>How many grace periods a mapping table has waited for. Places that were retired in an earlier epoch are free for
 * use.</dd>
 * <dt>gate</dt>
 * <dd>What lets a device's DMA through or stops it, as the bus master bit of a PCI function does.</dd>
 * <dt>passage</dt>
 * <dd>The state of a gate as one number, which moves whenever the gate is opened, closed, paused or resumed. A passage
 * without its pause is an <em>opening</em>: what was begun in one opening is not continued in another.</dd>
 * <dt>doorbell region</dt>
 * <dd>A part of the guest-physical addresses with no memory: what a device {@linkplain org.virtio4j.dma.DmaHandle#send
 * sends} there is an interrupt message. Data that it reads or writes there is a bus error, so that no data becomes an
 * interrupt. A doorbell without that second word is the register at which a driver tells a device of new buffers; the
 * write is a kick.</dd>
 * </dl>
 */
@NullMarked
package org.virtio4j.dma;

import org.jspecify.annotations.NullMarked;
