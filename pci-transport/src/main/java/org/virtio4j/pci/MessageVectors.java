// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaGate;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.MessageSender;
import org.virtio4j.pci.InterruptsInFlight.Departure;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * The MSI-X table and its pending bits (PCI Local Bus 3.0, section 6.8.2): a vector that is raised sends the message of
 * its entry or, while it is masked, sets its pending bit, and sends later.
 *
 * <p>Any thread may call any method. The lock is held to look at the table, never while a message is sent; so a message
 * that is on its way when its vector is masked still arrives. A reset and an unmapping wait for it.
 */
final class MessageVectors extends TableRoute {

    private final MessageSender sender;
    private final DmaGate gate;
    private final AtomicLong lost = new AtomicLong();

    /** Guarded by the lock. */
    private final InterruptsInFlight departures = new InterruptsInFlight(lock);

    MessageVectors(BarLayout bars, MessageSender sender, DmaGate gate) {
        super(new MsixTableWords(bars, true), new EventVectors(bars.events(), bars.vectors()));
        this.sender = sender;
        this.gate = gate;
    }

    // Where events go

    @Override
    public int vector(int event) {
        lock.lock();
        try {
            return pending.vector(event);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void map(int event, int vector) {
        lock.lock();
        try {
            int before = pending.vector(event);
            if (before != vector) {
                pending.map(event, vector);
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
            int vector = pending.add(event);
            leaving = vector == CommonConfig.NO_VECTOR ? null : decide(vector);
        } finally {
            lock.unlock();
        }
        send(leaving);
    }

    @Override
    public void withdrawAll() {
        lock.lock();
        try {
            pending.unmapAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void awaitWithdrawn() {
        lock.lock();
        try {
            departures.await(InterruptsInFlight.ALL);
        } finally {
            lock.unlock();
        }
    }

    /** A message is a write to memory, and the gate is closed then: that holds them back. */
    @Override
    public void hold(boolean held) {
        // Nothing is left to do.
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
            return pending.nextPending(from);
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
    public long lost() {
        return lost.get();
    }

    /** Takes what is pending on a vector for a message of it; null while there is nothing, or it is masked. */
    private @Nullable Departure decide(int vector) {
        if (words.masked(vector) || !pending.isPending(vector)) {
            return null;
        }
        return departures.begin(vector).with(pending.take(vector), words.address(vector), words.data(vector));
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
     * Where the function may not send now, the message is pending again unless it was withdrawn meanwhile. A thread
     * that opens the gate flushes afterwards, so this looks at the gate once the message is pending: if the gate is
     * open, the message is tried again.
     */
    private @Nullable Departure end(Departure departure, DmaResult result) {
        lock.lock();
        try {
            int vector = departure.vector();
            long round = departure.round();
            departures.end(departure);
            if (result == DmaResult.CLOSED) {
                pending.giveBack(vector, round);
                return gate.isOpen() ? decide(vector) : null;
            }
            return null;
        } finally {
            lock.unlock();
        }
    }
}
