// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import org.virtio4j.pci.InterruptsInFlight.Departure;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * Vectors for an embedder that delivers them. The embedder may keep the table that the guest sees; where it does not,
 * the entries of this table mask as they should, and what is masked is pending here. It is not known what the embedder
 * has delivered, so an event that was raised counts as raised until it is unmapped.
 *
 * <p>Any thread may call any method; the lock is never held while the embedder is called.
 */
final class SinkVectors extends TableRoute {

    private final InterruptSink sink;

    /**
     * Guarded by the lock, as is what follows. What may have to be withdrawn from the embedder. The embedder was not
     * told of what is pending, because the vector is masked, or the function is no bus master.
     */
    private final EventVectors raised;
    private final InterruptsInFlight departures = new InterruptsInFlight(lock);
    private boolean holding;

    /** Vectors to be withdrawn from the embedder, which cannot be called yet. */
    private final BitSet withdrawn;

    SinkVectors(BarLayout bars, InterruptSink sink) {
        super(new MsixTableWords(bars, false), new EventVectors(bars.events(), bars.vectors()));
        this.sink = sink;
        this.raised = new EventVectors(bars.events(), bars.vectors());
        this.withdrawn = new BitSet(bars.vectors());
    }

    // Where events go

    @Override
    public int vector(int event) {
        lock.lock();
        try {
            return raised.vector(event);
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
            before = raised.vector(event);
            if (before != vector) {
                last = raised.map(event, vector);
                boolean ignored = pending.map(event, vector);
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
            int vector = raised.add(event);
            if (vector != CommonConfig.NO_VECTOR) {
                leaving = decide(vector, event);
            }
        } finally {
            lock.unlock();
        }
        deliver(leaving);
    }

    @Override
    public void withdrawAll() {
        lock.lock();
        try {
            for (int vector = raised.nextPending(0); vector >= 0; vector = raised.nextPending(vector + 1)) {
                withdrawn.set(vector);
            }
            raised.unmapAll();
            pending.unmapAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void awaitWithdrawn() {
        FirstFailure failure = new FirstFailure();
        for (int vector = nextWithdrawn(); vector >= 0; vector = nextWithdrawn()) {
            try {
                tell(vector);
            } catch (RuntimeException | Error thrown) {
                failure.add(thrown);
            }
        }
        failure.rethrow();
    }

    // What holds them back

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
        for (Departure leaving = nextPending(); leaving != null; leaving = nextPending()) {
            try {
                deliver(leaving);
            } catch (RuntimeException | Error thrown) {
                failure = FirstFailure.join(failure, thrown);
            }
        }
        FirstFailure.throwIt(failure);
    }

    /** Only the embedder knows whether a vector was delivered. */
    @Override
    public long lost() {
        return 0;
    }

    /** Null while the vector is held back: then the event is pending. Otherwise what is pending on it goes along. */
    private @Nullable Departure decide(int vector, int event) {
        if (heldBack(vector)) {
            int ignored = pending.add(event);
            return null;
        }
        return begin(vector);
    }

    private Departure begin(int vector) {
        if (pending.isPending(vector)) {
            long ignored = pending.take(vector);
        }
        return departures.begin(vector);
    }

    private boolean heldBack(int vector) {
        return holding || words.masked(vector);
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

    /** Another CPU may cause an event of the vector meanwhile, which might be withdrawn too: it is raised again. */
    private void tell(int vector) {
        Throwable thrown = FirstFailure.after(null, () -> sink.withdraw(vector));
        Departure again;
        lock.lock();
        try {
            again = raiseAgain(vector);
        } finally {
            lock.unlock();
        }
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> deliver(again)));
    }

    private @Nullable Departure raiseAgain(int vector) {
        if (!raised.isPending(vector)) {
            return null;
        }
        if (heldBack(vector)) {
            raised.addTo(pending, vector);
            return null;
        }
        return begin(vector);
    }

    private int nextWithdrawn() {
        lock.lock();
        try {
            departures.await(InterruptsInFlight.ALL);
            int vector = withdrawn.nextSetBit(0);
            if (vector >= 0) {
                withdrawn.clear(vector);
            }
            return vector;
        } finally {
            lock.unlock();
        }
    }

    /** The next vector that is pending and not held back any more. */
    private @Nullable Departure nextPending() {
        lock.lock();
        try {
            for (int vector = pending.nextPending(0); vector >= 0; vector = pending.nextPending(vector + 1)) {
                if (!heldBack(vector)) {
                    return begin(vector);
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }
}
