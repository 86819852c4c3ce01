// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import org.virtio4j.driver.hostile.RawRing;

/** A device that gives buffers back in order, without looking at them. */
public final class FakeRing {

    public final RawRing ring;
    public final long descriptorTable;
    private int taken;

    public FakeRing(QueueMemory memory) {
        ring = new RawRing(memory);
        descriptorTable = memory.descriptorTable().address();
    }

    public boolean isEmpty() {
        return taken == ring.availableIndex();
    }

    /** Head of the next chain, which is then taken. */
    public int take() {
        int head = ring.availableEntry(taken);
        taken = (taken + 1) & 0xffff;
        return head;
    }

    public void giveBack(int head, long length) {
        ring.putUsed(ring.usedIndex(), head, length);
        ring.usedIndex(ring.usedIndex() + 1);
    }

    /** Asks to be notified of the next buffer; only counts with EVENT_IDX. */
    public void askForKick() {
        ring.availableEvent(taken);
    }

    public void use(long length) {
        giveBack(take(), length);
    }

    public void useAll(long length) {
        while (!isEmpty()) {
            use(length);
        }
    }
}
