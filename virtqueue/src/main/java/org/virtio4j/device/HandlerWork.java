// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.Chain;

/** Hands the chains of a queue to a {@link ChainHandler}, one at a time. */
final class HandlerWork implements QueueWork {

    private final ChainHandler handler;
    private final ServedChain served = new ServedChain();

    /** Whether there is use for a chain; null if always. */
    private @Nullable BooleanSupplier useful;

    HandlerWork(ChainHandler handler) {
        this.handler = handler;
    }

    void onlyWhile(BooleanSupplier condition) {
        useful = condition;
    }

    @Override
    public int room() {
        BooleanSupplier condition = useful;
        return condition == null || condition.getAsBoolean() ? 1 : 0;
    }

    @Override
    public void take(int slot, Chain chain) {
        served.begin(chain, false);
    }

    @Override
    public void takeAgain(int slot, Chain chain) {
        served.begin(chain, true);
    }

    @Override
    public boolean work(int count, QueueLoop loop) {
        return served.serve(handler, loop);
    }

    /** The handler has written it. */
    @Override
    public boolean answer(int slot, Chain chain) {
        return true;
    }
}
