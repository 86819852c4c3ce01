// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import org.jspecify.annotations.Nullable;
import org.virtio4j.wire.SplitDescriptor;

/**
 * The descriptors of a driver's queue: which are free, and which chains the others make. That is remembered here, and
 * never read back from memory that the device can write.
 *
 * <p>A chain is built by {@link #begin}, one {@link #put} for each of its pieces, and {@link #end}.
 */
final class DescriptorChains {

    private static final int SMALLEST_TABLE = 2;

    private final GuestBuffer descriptors;

    /** If there are indirect tables, one for each descriptor, as each can be a head; and their entries. */
    private final @Nullable GuestBuffer tables;
    private final int tableSize;

    /** The next descriptor of the same chain, or the next free one. */
    private final int[] next;

    /** For each head that is out, how many descriptors its chain has; else 0. */
    private final int[] chainLength;
    private int firstFree;
    private int freeCount;

    /** The chain under construction: its pieces, where its descriptors go, and the place of the next one. */
    private int pieces;
    private int left;
    private GuestBuffer target;
    private int place;
    private boolean indirect;

    DescriptorChains(GuestBuffer descriptors, int size, @Nullable GuestBuffer tables) {
        this.descriptors = descriptors;
        this.tables = tables;
        this.tableSize = tables == null ? 0 : tableSize(tables, size);
        this.next = new int[size];
        this.chainLength = new int[size];
        this.freeCount = size;
        this.target = descriptors;
        for (int i = 0; i < size; i++) {
            next[i] = i + 1;
        }
    }

    /** How many descriptors of the queue's own table are free. */
    int freeCount() {
        return freeCount;
    }

    /** Whether a chain that begins here was given to the device and not taken back. */
    boolean isOut(int head) {
        return chainLength[head] != 0;
    }

    /** Begins a chain; false if there is no room for it, and then nothing has changed. */
    boolean begin(int count) {
        if (count < 1 || count > next.length) {
            throw new IllegalArgumentException(
                    "pieces=" + count + ", but a chain of this queue has 1 to " + next.length);
        }
        indirect = count > 1 && count <= tableSize;
        if (freeCount < (indirect ? 1 : count)) {
            return false;
        }
        target = indirect && tables != null ? tables : descriptors;
        place = indirect ? firstFree * tableSize : firstFree;
        pieces = count;
        left = count;
        return true;
    }

    /** Writes the next descriptor of the chain. */
    void put(long address, long length, int flags) {
        left--;
        int following = 0;
        int all = flags;
        if (left > 0) {
            following = indirect ? place + 1 - firstFree * tableSize : next[place];
            all |= SplitDescriptor.FLAG_NEXT;
        }
        putDescriptor(target, place, address, length, all, following);
        if (left > 0) {
            place = indirect ? place + 1 : following;
        }
    }

    /** Ends the chain, whose descriptors are not free any more; returns its head. */
    int end() {
        int head = firstFree;
        int taken = indirect ? 1 : pieces;
        int last = indirect ? head : place;
        if (indirect) {
            long table = target.address() + (long) head * tableSize * SplitDescriptor.SIZE;
            putDescriptor(descriptors, head, table, pieces * SplitDescriptor.SIZE, SplitDescriptor.FLAG_INDIRECT, 0);
        }
        firstFree = next[last];
        freeCount -= taken;
        chainLength[head] = taken;
        return head;
    }

    /** Takes back the descriptors of a chain that is out. */
    void release(int head) {
        int last = head;
        for (int i = 1; i < chainLength[head]; i++) {
            last = next[last];
        }
        next[last] = firstFree;
        firstFree = head;
        freeCount += chainLength[head];
        chainLength[head] = 0;
    }

    private static void putDescriptor(GuestBuffer table, int index, long address, long length, int flags, int next) {
        long at = index * SplitDescriptor.SIZE;
        table.putI64(at + SplitDescriptor.ADDR, address);
        table.putI32(at + SplitDescriptor.LEN, (int) length);
        table.putU16(at + SplitDescriptor.FLAGS, flags);
        table.putU16(at + SplitDescriptor.NEXT, next);
    }

    private static int tableSize(GuestBuffer tables, int size) {
        int each = Math.toIntExact(tables.length() / SplitDescriptor.SIZE / size);
        if (each < SMALLEST_TABLE) {
            throw new IllegalArgumentException("tables=" + tables + ", but " + size
                    + " tables of at least 2 descriptors are needed: " + 2L * size * SplitDescriptor.SIZE + " bytes");
        }
        return Math.min(each, size);
    }
}
