// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

/** A device that gives buffers back in order, without looking at them. */
final class FakeRing {

    final RawRing ring;
    final long descriptorTable;
    private int taken;

    FakeRing(QueueMemory memory) {
        ring = new RawRing(memory);
        descriptorTable = memory.descriptorTable().address();
    }

    boolean isEmpty() {
        return taken == ring.availableIndex();
    }

    /** Head of the next chain, which is then taken. */
    int take() {
        int head = ring.availableEntry(taken);
        taken = (taken + 1) & 0xffff;
        return head;
    }

    void giveBack(int head, long length) {
        ring.putUsed(ring.usedIndex(), head, length);
        ring.usedIndex(ring.usedIndex() + 1);
    }

    /** Asks to be notified of the next buffer; only counts with EVENT_IDX. */
    void askForKick() {
        ring.availableEvent(taken);
    }

    void use(long length) {
        giveBack(take(), length);
    }

    void useAll(long length) {
        while (!isEmpty()) {
            use(length);
        }
    }
}
