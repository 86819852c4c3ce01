// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.pci.Departures.Departure;
import org.virtio4j.vmm.DmaGate;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.MessageSender;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * The MSI-X table and its pending bits (PCI Local Bus 3.0, section 6.8.2): a vector that is raised sends the message of
 * its entry or, while it is masked, sets its pending bit, and sends later.
 *
 * <p>Any thread may call any method. The lock is held to look at the table, never while a message is sent; so one that
 * is on its way when its vector is masked still arrives. Whoever resets or unmaps waits for it.
 */
final class VectorTable implements VectorRoute {

    private final ReentrantLock lock = new ReentrantLock();
    private final MessageSender sender;
    private final DmaGate gate;
    private final AtomicLong lost = new AtomicLong();

    /** Guarded by the lock, as is what follows. */
    private final TableWords words;
    private final EventVectors events;
    private final Departures departures = new Departures(lock);

    VectorTable(Bars bars, MessageSender sender, DmaGate gate) {
        this.sender = sender;
        this.gate = gate;
        this.words = new TableWords(bars, true);
        this.events = new EventVectors(bars.events(), bars.vectors());
    }

    // Where events go

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
        lock.lock();
        try {
            int before = events.vector(event);
            if (before != vector) {
                events.map(event, vector);
                departures.await(before);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void raise(int event) {
        Departure leaving;
        lock.lock();
        try {
            int vector = events.add(event);
            leaving = vector == CommonConfig.NO_VECTOR ? null : decide(vector);
        } finally {
            lock.unlock();
        }
        send(leaving);
    }

    @Override
    public void forget() {
        lock.lock();
        try {
            events.forgetAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void awaitForgotten() {
        lock.lock();
        try {
            departures.await(Departures.ALL);
        } finally {
            lock.unlock();
        }
    }

    /** A message is a write to memory, and the gate is closed then: that holds them back. */
    @Override
    public void hold(boolean held) {
        // Nothing is left to do.
    }

    @Override
    public void control(boolean on, boolean masked) {
        lock.lock();
        try {
            words.control(on, masked);
        } finally {
            lock.unlock();
        }
    }

    /** Sends what is pending and not masked any more, under no lock. */
    @Override
    public void flush() {
        Throwable failure = null;
        for (int vector = nextPending(0); vector >= 0 && gate.isOpen(); vector = nextPending(vector + 1)) {
            try {
                sendPending(vector);
            } catch (RuntimeException | Error thrown) {
                failure = FirstFailure.join(failure, thrown);
            }
        }
        FirstFailure.throwIt(failure);
    }

    private int nextPending(int from) {
        lock.lock();
        try {
            return events.nextPending(from);
        } finally {
            lock.unlock();
        }
    }

    private void sendPending(int vector) {
        Departure leaving;
        lock.lock();
        try {
            leaving = decide(vector);
        } finally {
            lock.unlock();
        }
        send(leaving);
    }

    @Override
    public void maskByEmbedder(int vector, boolean masked) {
        lock.lock();
        try {
            words.maskByEmbedder(vector, masked);
        } finally {
            lock.unlock();
        }
        flush();
    }

    @Override
    public void reset() {
        lock.lock();
        try {
            words.reset();
            events.forgetPending();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long lost() {
        return lost.get();
    }

    // What the guest sees

    @Override
    public long read(long offset, int width) {
        lock.lock();
        try {
            return words.read(offset, width, events);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void write(long offset, int width, long value) {
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

    /** Takes what is pending on a vector for a message of it; null while there is nothing, or it is masked. */
    private @Nullable Departure decide(int vector) {
        if (words.masked(vector) || !events.isPending(vector)) {
            return null;
        }
        return departures.begin(vector).with(events.take(vector), words.address(vector), words.data(vector));
    }

    private void send(@Nullable Departure decided) {
        Departure leaving = decided;
        while (leaving != null) {
            DmaResult result = DmaResult.OK;
            try {
                result = sender.send(leaving.address(), leaving.data());
            } finally {
                leaving = end(leaving, result);
            }
            if (result != DmaResult.OK && result != DmaResult.CLOSED) {
                lost.incrementAndGet();
            }
        }
    }

    /**
     * Where the function may not send now, what has not been forgotten since is pending again. Who opens the gate
     * flushes afterwards, so the gate is looked at once it is: if it is open, the message is tried again.
     */
    private @Nullable Departure end(Departure departure, DmaResult result) {
        lock.lock();
        try {
            int vector = departure.vector();
            long round = departure.round();
            departures.end(departure);
            if (result == DmaResult.CLOSED) {
                events.giveBack(vector, round);
                return gate.isOpen() ? decide(vector) : null;
            }
            return null;
        } finally {
            lock.unlock();
        }
    }
}
