// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.pci.Departures.Departure;
import org.virtio4j.vmm.DmaGate;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.MessageSender;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.MsixEntry;

/**
 * The MSI-X table and its pending bits (PCI Local Bus 3.0, section 6.8.2): a vector that is raised sends the message of
 * its entry or, while it is masked, sets its pending bit, and sends later.
 *
 * <p>Any thread may call any method. The lock is held to look at the table, never while a message is sent; so one that
 * is on its way when its vector is masked still arrives. Whoever resets or unmaps waits for it.
 */
final class VectorTable implements VectorRoute {

    private static final int WORDS = (int) (MsixEntry.SIZE / Integer.BYTES);
    private static final int DATA = (int) (MsixEntry.DATA / Integer.BYTES);
    private static final int CONTROL = (int) (MsixEntry.VECTOR_CONTROL / Integer.BYTES);
    private static final long WORD_MASK = 0xffff_ffffL;

    private final ReentrantLock lock = new ReentrantLock();
    private final Bars bars;
    private final MessageSender sender;
    private final DmaGate gate;
    private final AtomicLong lost = new AtomicLong();

    /** Guarded by the lock, as is what follows. */
    private final int[] words;
    private final EventVectors events;
    private final Departures departures = new Departures(lock);
    private boolean enabled;
    private boolean functionMasked;

    VectorTable(Bars bars, MessageSender sender, DmaGate gate) {
        this.bars = bars;
        this.sender = sender;
        this.gate = gate;
        this.words = new int[bars.vectors() * WORDS];
        this.events = new EventVectors(bars.events(), bars.vectors());
        reset();
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

    /** What message control says. Whoever calls it calls {@link #flush} when he holds no lock any more. */
    void control(boolean on, boolean masked) {
        lock.lock();
        try {
            enabled = on;
            functionMasked = masked;
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

    /** The function was reset: every vector is masked. */
    void reset() {
        lock.lock();
        try {
            Arrays.fill(words, 0);
            events.forgetPending();
            for (int vector = 0; vector < bars.vectors(); vector++) {
                words[vector * WORDS + CONTROL] = MsixEntry.MASKED;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Messages that led nowhere: no doorbell was at their address, or translation refused it. */
    long lost() {
        return lost.get();
    }

    // What the guest sees

    long read(long offset, int width) {
        if (!isAccess(offset, width)) {
            return 0;
        }
        lock.lock();
        try {
            long low = word(offset);
            return width == Integer.BYTES ? low : low | word(offset + Integer.BYTES) << Integer.SIZE;
        } finally {
            lock.unlock();
        }
    }

    void write(long offset, int width, long value) {
        if (!isAccess(offset, width) || offset >= bars.tableSize()) {
            return;
        }
        lock.lock();
        try {
            writeWord(offset, (int) value);
            if (width == Long.BYTES) {
                writeWord(offset + Integer.BYTES, (int) (value >>> Integer.SIZE));
            }
        } finally {
            lock.unlock();
        }
        flush();
    }

    private boolean isAccess(long offset, int width) {
        return (width == Integer.BYTES || width == Long.BYTES) && offset >= 0 && offset % width == 0
                && offset < bars.size(Bars.MSIX);
    }

    /** 32 bits of the table or the pending bits, 0 between and behind them. */
    private long word(long offset) {
        if (offset < bars.tableSize()) {
            return words[(int) (offset / Integer.BYTES)] & WORD_MASK;
        }
        long bits = 0;
        long first = (offset - bars.pendingBits()) * Byte.SIZE;
        for (int i = 0; i < Integer.SIZE; i++) {
            boolean set = first >= 0 && first < bars.vectors() && events.isPending((int) first + i);
            bits |= set ? 1L << i : 0;
        }
        return bits;
    }

    private void writeWord(long offset, int value) {
        int index = (int) (offset / Integer.BYTES);
        words[index] = index % WORDS == CONTROL ? value & MsixEntry.MASKED : value;
    }

    /** Takes what is pending on a vector for a message of it; null while there is nothing, or it is masked. */
    private @Nullable Departure decide(int vector) {
        if (masked(vector) || !events.isPending(vector)) {
            return null;
        }
        int data = words[vector * WORDS + DATA];
        return departures.begin(vector).with(events.take(vector), address(vector), data);
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

    private boolean masked(int vector) {
        return !enabled || functionMasked || (words[vector * WORDS + CONTROL] & MsixEntry.MASKED) != 0;
    }

    /** The two low bits of an entry's address are always 0, whatever the guest wrote there. */
    private long address(int vector) {
        long low = words[vector * WORDS] & WORD_MASK & -Integer.BYTES;
        return low | (long) words[vector * WORDS + 1] << Integer.SIZE;
    }
}
