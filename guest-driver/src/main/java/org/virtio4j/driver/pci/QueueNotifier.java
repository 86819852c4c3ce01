// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.Arrays;

/**
 * The notification addresses of a PCI function (virtio 1.4, section 4.1.4.4), one for each queue whose place in the
 * structure is known. Addresses are added by one thread at a time. Any thread may notify.
 */
final class QueueNotifier {

    private static final long UNKNOWN = -1;

    private final PciRegisters structure;
    private final long length;
    private final long multiplier;

    /** Offsets in the structure by queue. An array never changes, so every thread sees a complete one. */
    private volatile long[] offsets = new long[0];

    QueueNotifier(PciRegisters structure, long length, long multiplier) {
        this.structure = structure;
        this.length = length;
        this.multiplier = multiplier;
    }

    /**
     * Remembers where a queue is notified.
     *
     * @param queue     index of the queue
     * @param notifyOff its {@code queue_notify_off}
     * @return false if there is no place for 16 bits, which is the device's fault
     */
    boolean place(int queue, int notifyOff) {
        long offset = notifyOff * multiplier;
        if (offset > length - Short.BYTES || offset % Short.BYTES != 0) {
            return false;
        }
        if (queue >= offsets.length || offsets[queue] != offset) {
            put(queue, offset);
        }
        return true;
    }

    /** Writes to the address of a queue; false if that is unknown. */
    boolean notify(int queue) {
        long[] known = offsets;
        if (Integer.compareUnsigned(queue, known.length) >= 0 || known[queue] == UNKNOWN) {
            return false;
        }
        structure.putU16(known[queue], queue);
        return true;
    }

    private void put(int queue, long offset) {
        long[] known = offsets;
        long[] more = Arrays.copyOf(known, Math.max(known.length, queue + 1));
        Arrays.fill(more, known.length, more.length, UNKNOWN);
        more[queue] = offset;
        offsets = more;
    }
}
