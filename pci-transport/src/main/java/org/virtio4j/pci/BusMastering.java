// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.dma.DmaGate;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.vmm.FirstFailure;

/**
 * What the bus master bit allows, as two gates in front of the device's DMA. Interrupt messages pass as soon as the bit
 * is set. Rings and buffers are reached only after a notification or {@code DRIVER_OK} that came while the bit was set.
 * By then another operating system may own the memory, one that enables bus mastering first and resets the device after
 * it.
 *
 * <p>Both are changed under the function's lock.
 */
final class BusMastering {

    private final ReentrantLock lock;
    private final DmaGate messages;
    private final DmaGate data;
    private boolean ended;

    /** The bit is off. */
    BusMastering(ReentrantLock lock, DmaSpace dma) {
        this.lock = lock;
        this.messages = new DmaGate(dma.memory());
        this.data = new DmaGate(dma.memory());
    }

    /** The space that rings and buffers are reached through. */
    DmaSpace forData(DmaSpace dma) {
        return dma.behind(data);
    }

    /** The space that interrupt messages are sent through. */
    DmaSpace forMessages(DmaSpace dma) {
        return dma.behind(messages);
    }

    /** The gate that is open while interrupt messages may be sent. */
    DmaGate messages() {
        return messages;
    }

    boolean dataIsOpen() {
        return data.isOpen();
    }

    /** Whether a notification counts: one that comes while bus mastering is off is dropped. */
    boolean admits() {
        return data.isOpen() || openData();
    }

    /** Lets rings and buffers be reached, if the bit is set; says whether they can be. */
    boolean openData() {
        lock.lock();
        try {
            if (messages.isOpen() && !ended) {
                data.open();
            }
            return data.isOpen();
        } finally {
            lock.unlock();
        }
    }

    // Under the lock

    /** Whether the function may send messages. */
    boolean isOn() {
        return messages.isOpen();
    }

    /** Ends a pause of the data, if the function is awake; says whether there was one. */
    boolean resumeData() {
        return messages.isOpen() && data.resume();
    }

    /** Turns both on or off; off waits for sections. A pause leaves what is at work for later, otherwise it is lost. */
    void set(boolean on, boolean pause) {
        if (on) {
            messages.open();
        } else if (messages.isOpen() || data.isPaused()) {
            // The stall listener may throw when the wait is over; both gates are closed all the same.
            FirstFailure failure = new FirstFailure();
            failure.run(messages::close);
            failure.run(pause ? data::pause : data::close);
            failure.rethrow();
        }
    }

    /** The function ends: rings and buffers are never reached again, once the bit is off. */
    void end() {
        ended = true;
    }
}
