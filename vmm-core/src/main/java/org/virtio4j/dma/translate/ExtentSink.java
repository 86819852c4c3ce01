// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import org.virtio4j.vmm.Access;

/**
 * Receives the answer of a {@link Translator}: one stretch of I/O-virtual addresses and where it lies.
 *
 * <p>It is called inside a reader's section, so it must neither block nor call back into the translator.
 */
public interface ExtentSink {

    /**
     * A permission besides those of {@link Access}: writes that are messages, which reach a doorbell or nothing, never
     * memory. Where {@linkplain Access#WRITE writing} is permitted, messages are as well.
     */
    int MESSAGES = 4;

    /**
     * Takes the whole stretch that holds the address asked for, so that a cache can hold all of it.
     *
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive, so that the end of the 64-bit space can be said
     * @param physStart guest-physical address that {@code virtStart} means
     * @param permitted accesses that are allowed, a sum of {@link Access#mask()}; or {@link #MESSAGES} alone, for a
     *                  write that the translator lets pass to a doorbell only
     */
    void extent(long virtStart, long virtEnd, long physStart, int permitted);
}
