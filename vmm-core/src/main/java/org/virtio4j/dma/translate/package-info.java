// SPDX-License-Identifier: Apache-2.0
/**
 * From I/O-virtual addresses to guest-physical ones.
 *
 * <p>A {@link org.virtio4j.dma.translate.Translator} gives addresses a meaning; an endpoint of an IOMMU is one, and a
 * VMM with another IOMMU implements its own. It answers with whole extents, into an {@link
 * org.virtio4j.dma.translate.ExtentSink}. Each DMA handle has an {@link org.virtio4j.dma.translate.AddressLookup}. It
 * remembers the last answer ({@link org.virtio4j.dma.translate.LastTranslation}) for the rest of the section, and, if
 * the translator has {@link org.virtio4j.dma.translate.TranslationCaches}, more of them from section to section.
 * Through these caches the translator makes its handles forget what it takes away.
 *
 * <p>{@code AddressLookup} and {@code LastTranslation} are for handles alone; an embedder has no use for them.
 *
 * <p>There is no lock on the way of a look-up. The thread inside the section looks up and remembers; any thread may
 * make a cache forget, and does so before it waits for the <em>grace period</em>.
 */
@NullMarked
package org.virtio4j.dma.translate;

import org.jspecify.annotations.NullMarked;
