// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.vmm.DmaGate;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.vmm.MessageSender;
import org.virtio4j.wire.pci.MsixEntry;

/**
 * The MSI-X table and its pending bits (PCI Local Bus 3.0, section 6.8.2): a vector that is raised sends the message of
 * its entry or, while it is masked, sets its pending bit, and sends later.
 *
 * <p>Any thread may call any method. The lock is held to look at the table, never while a message is sent; so one that
 * is on its way when its vector is masked still arrives.
 */
final class VectorTable implements InterruptSink {

    private static final int WORDS = (int) (MsixEntry.SIZE / Integer.BYTES);
    private static final int DATA = (int) (MsixEntry.DATA / Integer.BYTES);
    private static final int CONTROL = (int) (MsixEntry.VECTOR_CONTROL / Integer.BYTES);
    private static final long WORD_MASK = 0xffff_ffffL;

    private final ReentrantLock lock = new ReentrantLock();
    private final Bars bars;
    private final MessageSender sender;
    private final DmaGate gate;
    private final AtomicLong lost = new AtomicLong();

    /** Guarded by the lock, as are the pending bits. */
    private final int[] words;
    private final BitSet pending;
    private boolean enabled;
    private boolean functionMasked;

    VectorTable(Bars bars, MessageSender sender, DmaGate gate) {
        this.bars = bars;
        this.sender = sender;
        this.gate = gate;
        this.words = new int[bars.vectors() * WORDS];
        this.pending = new BitSet(bars.vectors());
        reset();
    }

    @Override
    public void raise(int vector) {
        long address;
        int data;
        lock.lock();
        try {
            if (masked(vector)) {
                pending.set(vector);
                return;
            }
            address = address(vector);
            data = words[vector * WORDS + DATA];
        } finally {
            lock.unlock();
        }
        send(vector, address, data);
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
    void flush() {
        for (int vector = nextPending(0); vector >= 0; vector = nextPending(vector + 1)) {
            sendPending(vector);
        }
    }

    private int nextPending(int from) {
        lock.lock();
        try {
            return pending.nextSetBit(from);
        } finally {
            lock.unlock();
        }
    }

    private void sendPending(int vector) {
        long address;
        int data;
        lock.lock();
        try {
            if (masked(vector) || !pending.get(vector)) {
                return;
            }
            pending.clear(vector);
            address = address(vector);
            data = words[vector * WORDS + DATA];
        } finally {
            lock.unlock();
        }
        send(vector, address, data);
    }

    /** The device was reset, and its interrupts of before with it. */
    void forgetPending() {
        lock.lock();
        try {
            pending.clear();
        } finally {
            lock.unlock();
        }
    }

    /** The function was reset: every vector is masked. */
    void reset() {
        lock.lock();
        try {
            Arrays.fill(words, 0);
            pending.clear();
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
            boolean set = first >= 0 && first < bars.vectors() && pending.get((int) first + i);
            bits |= set ? 1L << i : 0;
        }
        return bits;
    }

    private void writeWord(long offset, int value) {
        int index = (int) (offset / Integer.BYTES);
        words[index] = index % WORDS == CONTROL ? value & MsixEntry.MASKED : value;
    }

    private void send(int vector, long address, int data) {
        DmaResult result = sender.send(address, data);
        if (result == DmaResult.CLOSED) {
            hold(vector);
        } else if (result != DmaResult.OK) {
            lost.incrementAndGet();
        }
    }

    /** The function may not send now. Who opens the gate flushes, so the gate is looked at once the bit is set. */
    private void hold(int vector) {
        lock.lock();
        try {
            pending.set(vector);
        } finally {
            lock.unlock();
        }
        if (gate.isOpen()) {
            flush();
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
