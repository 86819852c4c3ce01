// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.virtio4j.fixture.Parked;
import org.virtio4j.vmm.InterruptLine;

/**
 * Where a device's interrupts reach the guest: they are counted, and held on their way if a test wants so. A line
 * arrives each time it is set high, and says nothing of what it is for; a message names an event.
 */
public final class Interrupts implements InterruptLine {

    private final Runnable listener;
    private final AtomicInteger arrivals = new AtomicInteger();
    private final AtomicInteger events = new AtomicInteger();
    private final CountDownLatch inside = new CountDownLatch(1);
    private volatile @Nullable CountDownLatch go;
    private volatile boolean line;

    /** The listener runs whenever the guest is interrupted, on the thread that does so. */
    Interrupts(Runnable listener) {
        this.listener = listener;
    }

    @Override
    public void set(boolean level) {
        line = level;
        if (level) {
            arrive(0);
        }
    }

    /** Interrupts the guest, for an event or for something it has to ask for. */
    void arrive(int event) {
        CountDownLatch gate = go;
        if (gate != null) {
            inside.countDown();
            Parked.await(gate);
        }
        // Of nothing captured nothing is allocated, which the tests of allocation rely on.
        events.accumulateAndGet(event, (bits, more) -> bits | more);
        arrivals.incrementAndGet();
        listener.run();
    }

    /** The events that messages named since the last call. */
    int takeEvents() {
        return events.getAndSet(0);
    }

    /** Where the line is, on a transport that has one. */
    public boolean line() {
        return line;
    }

    /** How many arrived since the last call. */
    public int take() {
        return arrivals.getAndSet(0);
    }

    /** How many arrived since the last {@link #take}. */
    public int arrived() {
        return arrivals.get();
    }

    /** From now on an interrupt is held on its way, until {@link #letGo}. */
    public void hold() {
        go = new CountDownLatch(1);
    }

    /** Waits until one is held. */
    public void awaitHeld() {
        Parked.await(inside);
    }

    /** Lets through what is held and what follows. */
    public void letGo() {
        CountDownLatch gate = go;
        if (gate != null) {
            gate.countDown();
        }
    }
}
