// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.virtio4j.queue.Chain;

/**
 * What a device type makes of a chain, in the three steps that {@link QueueServer} takes with each: one chain at a
 * time, never two threads at once.
 */
interface ChainHandler {

    /** Begins with a chain that was just taken. Inside a section: copy and go. */
    void take(Chain chain);

    /**
     * Does what takes time, outside any section; the chain's data is reached through the server.
     *
     * @return false if DMA was stopped before it was done; where it goes on later, so does this, with {@link #take}
     */
    boolean work(QueueServer server);

    /**
     * Ends with the chain, which is given back next. Inside a section.
     *
     * @return false if the memory it writes to is out of reach; called again when that is back
     */
    boolean answer(Chain chain);
}
