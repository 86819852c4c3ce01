// SPDX-License-Identifier: Apache-2.0
/**
 * How something can be taken away while other threads use it, without a lock on their side.
 *
 * <p>Each reader works inside short sections, which it enters and leaves through its {@link
 * org.virtio4j.vmm.grace.ReaderSection}. A writer that takes something away unlinks it first, and then waits in {@link
 * org.virtio4j.vmm.grace.GracePeriods} until no section is open that may have seen it: the grace period. After that it
 * can be closed or used again. Readers never wait and never try again.
 *
 * <p>The writer of a {@code Translator} needs two classes: {@link org.virtio4j.vmm.grace.GracePeriods}, one for each
 * translator, and {@link org.virtio4j.vmm.grace.ReaderSlot}, which {@code join} and {@code part} get and pass on.
 * {@link org.virtio4j.vmm.grace.StallListener} hears of a section that does not end. {@link
 * org.virtio4j.vmm.grace.Backoff} is how a thread waits here and elsewhere: it spins, yields, and then sleeps briefly.
 */
@NullMarked
package org.virtio4j.vmm.grace;

import org.jspecify.annotations.NullMarked;
