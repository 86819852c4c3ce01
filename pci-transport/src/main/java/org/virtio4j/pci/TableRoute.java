// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.locks.ReentrantLock;

/** What both routes do with the table that the guest sees: its words, its masks, and what pends behind them. */
abstract class TableRoute implements VectorRoute {

    final ReentrantLock lock = new ReentrantLock();

    /** Guarded by the lock, as is what pends. */
    final MsixTableWords words;

    /** What is held back: masked, or not to be sent yet. */
    final EventVectors pending;

    TableRoute(MsixTableWords words, EventVectors pending) {
        this.words = words;
        this.pending = pending;
    }

    @Override
    public final void control(boolean enabled, boolean masked) {
        lock.lock();
        try {
            words.control(enabled, masked);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final void maskByEmbedder(int vector, boolean masked) {
        lock.lock();
        try {
            words.maskByEmbedder(vector, masked);
        } finally {
            lock.unlock();
        }
        flush();
    }

    @Override
    public final void reset() {
        lock.lock();
        try {
            words.reset();
            pending.withdrawAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final long read(long offset, int width) {
        lock.lock();
        try {
            return words.read(offset, width, pending);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final void write(long offset, int width, long value) {
        boolean changed;
        lock.lock();
        try {
            changed = words.write(offset, width, value);
        } finally {
            lock.unlock();
        }
        if (changed) {
            flush();
        }
    }
}
