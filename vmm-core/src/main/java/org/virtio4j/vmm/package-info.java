// SPDX-License-Identifier: Apache-2.0
/**
 * Guest memory, and how devices reach it.
 *
 * <p>{@link org.virtio4j.vmm.GuestMemory} is what the guest's physical addresses mean: regions of RAM, ROM and
 * doorbells, in an immutable map that a change replaces. A device does not see it directly. It sees a {@link
 * org.virtio4j.vmm.DmaSpace}: that memory through a {@link org.virtio4j.vmm.Translator}, which is the identity or an
 * endpoint of an IOMMU. Each user of a space opens a {@link org.virtio4j.vmm.DmaHandle}, enters a section, finds the
 * pieces of a buffer with a {@link org.virtio4j.vmm.DmaCursor}, copies, and leaves.
 *
 * <p>Sections are what make it safe to take things away while devices run. Whoever removes a region or a mapping
 * publishes the change first and then waits, in {@link org.virtio4j.vmm.Readers}, until no section is left that could
 * have seen the old state. Readers take no lock and never retry. What a handle has translated it may remember from
 * section to section; the translator hands out {@link org.virtio4j.vmm.TranslationCaches} for that, and through them
 * makes its handles forget what it takes away.
 *
 * <p>Around that stand the small interfaces between device and hypervisor: {@link org.virtio4j.vmm.RegisterHandler} for
 * register accesses, {@link org.virtio4j.vmm.InterruptSink}, {@link org.virtio4j.vmm.InterruptLine} and
 * {@link org.virtio4j.vmm.MessageSink} for interrupts, {@link org.virtio4j.vmm.DirtyLog} for migration.
 */
@NullMarked
package org.virtio4j.vmm;

import org.jspecify.annotations.NullMarked;
