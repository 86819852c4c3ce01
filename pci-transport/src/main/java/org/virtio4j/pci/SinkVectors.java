// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.pci.Departures.Departure;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * Vectors for an embedder who keeps the table. What he has delivered is not known here, so an event that was raised
 * counts as pending until it is unmapped.
 *
 * <p>Any thread may call any method; the lock is never held while the embedder is called.
 */
final class SinkVectors implements VectorRoute {

    private final InterruptSink sink;
    private final ReentrantLock lock = new ReentrantLock();

    /** Guarded by the lock, as is what follows. */
    private final EventVectors events;
    private final Departures departures = new Departures(lock);
    private boolean holding;

    /** Raised while the function was no bus master. */
    private final BitSet held;

    /** To be forgotten by the embedder, who cannot be called yet. */
    private final BitSet forgotten;

    SinkVectors(Bars bars, InterruptSink sink) {
        this.sink = sink;
        this.events = new EventVectors(bars.events(), bars.vectors());
        this.held = new BitSet(bars.vectors());
        this.forgotten = new BitSet(bars.vectors());
    }

    @Override
    public int vector(int event) {
        lock.lock();
        try {
            return events.vector(event);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void map(int event, int vector) {
        int before;
        boolean last = false;
        lock.lock();
        try {
            before = events.vector(event);
            if (before != vector) {
                last = events.map(event, vector);
                departures.await(before);
            }
        } finally {
            lock.unlock();
        }
        if (last) {
            tell(before);
        }
    }

    @Override
    public void raise(int event) {
        Departure leaving = null;
        lock.lock();
        try {
            int vector = events.add(event);
            if (vector != CommonConfig.NO_VECTOR) {
                leaving = decide(vector);
            }
        } finally {
            lock.unlock();
        }
        deliver(leaving);
    }

    @Override
    public void forget() {
        lock.lock();
        try {
            for (int vector = events.nextPending(0); vector >= 0; vector = events.nextPending(vector + 1)) {
                forgotten.set(vector);
            }
            events.forgetAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void awaitForgotten() {
        FirstFailure failure = new FirstFailure();
        for (int vector = nextForgotten(); vector >= 0; vector = nextForgotten()) {
            try {
                tell(vector);
            } catch (RuntimeException | Error thrown) {
                failure.add(thrown);
            }
        }
        failure.rethrow();
    }

    @Override
    public void hold(boolean now) {
        lock.lock();
        try {
            holding = now;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void flush() {
        Throwable failure = null;
        for (Departure leaving = nextHeld(); leaving != null; leaving = nextHeld()) {
            try {
                deliver(leaving);
            } catch (RuntimeException | Error thrown) {
                failure = FirstFailure.join(failure, thrown);
            }
        }
        FirstFailure.throwIt(failure);
    }

    /** Null while the function is no bus master: the vector is held. */
    private @Nullable Departure decide(int vector) {
        if (holding) {
            held.set(vector);
            return null;
        }
        return departures.begin(vector);
    }

    private void deliver(@Nullable Departure leaving) {
        if (leaving == null) {
            return;
        }
        try {
            sink.raise(leaving.vector());
        } finally {
            lock.lock();
            try {
                departures.end(leaving);
            } finally {
                lock.unlock();
            }
        }
    }

    /** An event of another CPU's making may raise the vector meanwhile: it is raised again, lest it was forgotten. */
    private void tell(int vector) {
        Throwable thrown = FirstFailure.after(null, () -> sink.forget(vector));
        Departure again;
        lock.lock();
        try {
            again = events.isPending(vector) ? decide(vector) : null;
        } finally {
            lock.unlock();
        }
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> deliver(again)));
    }

    private int nextForgotten() {
        lock.lock();
        try {
            departures.await(Departures.ALL);
            int vector = forgotten.nextSetBit(0);
            if (vector >= 0) {
                forgotten.clear(vector);
            }
            return vector;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Departure nextHeld() {
        lock.lock();
        try {
            for (int vector = held.nextSetBit(0); vector >= 0 && !holding; vector = held.nextSetBit(0)) {
                held.clear(vector);
                if (events.isPending(vector)) {
                    return departures.begin(vector);
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }
}
