// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.virtio4j.queue.Chain;

/**
 * What a device type does with a chain, in the three steps of {@link ChainServer}: one chain at a time, never two
 * threads at once.
 */
interface ChainHandler {

    /** Begins with a chain that was just taken. Inside a section: copy and go. */
    void take(Chain chain);

    /**
     * Does what takes time, outside any section.
     *
     * @param data the data of the chain that was taken
     * @return false if DMA was stopped before it was done; when DMA goes on, the handler continues with {@link #take}
     *         of the same chain
     */
    boolean work(ChainData data);

    /**
     * Ends with the chain, which is given back next. Inside a section.
     *
     * @return false if the memory it writes to is out of reach; called again when that is back
     */
    boolean answer(Chain chain);
}
