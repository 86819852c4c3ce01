// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import org.virtio4j.benchmarks.peers.input.KeyFile;
import org.virtio4j.benchmarks.peers.input.Keys;

/** The kinds of work of the programs in {@code benchmarks/peers}, on a table in Java. */
final class PeerWork {

    /** So many requests lie between two grace periods, as in the device. */
    private static final int BATCH = 64;
    private static final int MOST_REFUSALS = 1000;

    private final Keys keys;
    private final PeerTable table;
    private final PointerChase chase;
    private int nextAddress;
    private int nextKey;
    /** Where results go, so that the compiler does not leave the work out. */
    private volatile long sink;

    /** Fills the table. */
    PeerWork(Keys keys, PeerTable table) {
        this.keys = keys;
        this.table = table;
        fill();
        chase = new PointerChase(table.bytes());
    }

    long bytes() {
        return table.bytes();
    }

    // Each of these gives the number of operations

    /** Each look-up waits for the one before: the top bit of what that found, which is never set, is in its address. */
    int lookUp() {
        long[] addresses = keys.addresses();
        int at = nextAddress;
        int end = at + KeyFile.CHUNK;
        long found = 0;
        while (at < end) {
            found = table.translate(addresses[at + (int) (found >>> 63)]);
            at++;
        }
        sink = found;
        nextAddress = at == addresses.length ? 0 : at;
        return KeyFile.CHUNK;
    }

    /** Removes a mapping and inserts it again. */
    int pair() {
        for (int batch = 0; batch < KeyFile.CHUNK; batch += BATCH) {
            for (int i = 0; i < BATCH; i++) {
                pairAt(nextKey);
                nextKey = nextKey + 1 == keys.count() ? 0 : nextKey + 1;
            }
            table.gracePeriod();
        }
        return KeyFile.CHUNK;
    }

    private void pairAt(int at) {
        long first = keys.first()[at];
        long last = keys.last()[at];
        require(table.remove(first, last) == 1 && table.insert(first, last, keys.physical()[at]));
    }

    int walk() {
        sink = table.walk();
        return keys.count();
    }

    int chase() {
        sink = chase.follow(KeyFile.CHUNK);
        return KeyFile.CHUNK;
    }

    /** All steps, from an empty table to an empty table. */
    int replay() {
        sink = runSteps();
        return keys.stepCount();
    }

    int removeAll() {
        long removed = table.removeAll();
        require(removed == keys.count());
        return keys.count();
    }

    // Untimed

    /** Makes all mappings, in a table that has none. */
    void fill() {
        for (int i = 0; i < keys.count(); i++) {
            if (i % BATCH == 0) {
                table.gracePeriod();
            }
            require(table.insert(keys.first()[i], keys.last()[i], keys.physical()[i]));
        }
    }

    /** What must be so before times mean anything; gives a sum that must be the same for all tables. */
    long check() {
        for (int i = 0; i < Math.min(keys.count(), MOST_REFUSALS); i++) {
            requireRefusals(keys.first()[i], keys.last()[i], keys.physical()[i]);
        }
        walk();
        long sum = sink;
        for (long address : keys.addresses()) {
            sum += table.translate(address);
        }
        return keys.stepCount() == 0 ? sum : sum + runSteps();
    }

    private void requireRefusals(long first, long last, long physical) {
        require(!table.insert(first, last, physical));
        require(table.remove(first, last - 1) == 0);
        require(table.remove(first + 1, last) == 0);
    }

    private long runSteps() {
        long[] steps = keys.steps();
        long sum = 0;
        for (int at = 0; at < steps.length; at += Keys.WORDS_OF_STEP) {
            sum += runStep(steps[at], steps[at + 1], steps[at + 2], steps[at + 3]);
            if (at % (BATCH * Keys.WORDS_OF_STEP) == 0) {
                table.gracePeriod();
            }
        }
        table.removeAll();
        table.gracePeriod();
        return sum;
    }

    private long runStep(long kind, long first, long last, long physical) {
        if (kind == Keys.MAP) {
            return table.insert(first, last, physical) ? 1 : 0;
        }
        return kind == Keys.UNMAP ? table.remove(first, last) : table.translate(first);
    }

    private static void require(boolean done) {
        if (!done) {
            throw new IllegalStateException("the table accepted what it must refuse, or refused what it must do");
        }
    }
}
