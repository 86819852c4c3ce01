// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/** What a {@link QueueDevice} does with one chain of a queue. */
@FunctionalInterface
public interface ChainHandler {

    /**
     * Carries out what one chain asks for. The chain is given back when this returns, unless it was {@linkplain
     * ServedChain#keep kept} or {@linkplain ServedChain#postpone postponed}. Called by one thread at a time for each
     * queue, under no lock and outside any section, so it may wait; the queue stands still meanwhile, and a reset waits
     * for it.
     *
     * <p>Where guest memory was out of reach for a moment, because the embedder exchanges it, a copy gives {@link
     * org.virtio4j.dma.DmaResult#CLOSED}. The chain is not given back then: this is called again for it when memory is
     * back, and {@link ServedChain#isRepeated} says so.
     *
     * <p>What this throws ends the service of the queue: the device needs a reset, and the exception comes out of the
     * call that served.
     *
     * @param chain the chain, good until this returns
     */
    void serve(ServedChain chain);
}
