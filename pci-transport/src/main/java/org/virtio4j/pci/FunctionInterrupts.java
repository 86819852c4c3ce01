// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.virtio4j.device.InterruptStatus;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.IsrStatus;

/**
 * Where each event of the device goes (virtio 1.4, sections 4.1.5.3 and 4.1.5.4): to the vector the driver chose for it
 * while MSI-X is enabled, to ISR status and the pin otherwise. Any thread may call any method.
 */
final class FunctionInterrupts {

    private static final int CONFIG_EVENT = 0;
    private static final int FIRST_QUEUE_EVENT = 1;

    private final InterruptStatus isr;
    private final InterruptSink vectors;
    private final int vectorCount;

    /** The vector of each event, or {@link CommonConfig#NO_VECTOR}. */
    private final AtomicIntegerArray eventVectors;

    private volatile boolean messages;
    private volatile boolean pinDisabled;

    FunctionInterrupts(int queues, int vectorCount, InterruptSink vectors, InterruptLine pin) {
        this.isr = new InterruptStatus(pin, () -> !messages && !pinDisabled);
        this.vectors = vectors;
        this.vectorCount = vectorCount;
        this.eventVectors = new AtomicIntegerArray(queues + 1);
        forgetVectors();
    }

    void queueUsed(int queue) {
        if (messages) {
            raise(FIRST_QUEUE_EVENT + queue);
        } else {
            isr.raise(IsrStatus.QUEUE);
        }
    }

    /** Section 4.1.4.5.1: the bit is set before the notification, with MSI-X too. */
    void configChanged() {
        isr.raise(IsrStatus.CONFIG);
        if (messages) {
            raise(CONFIG_EVENT);
        }
    }

    /** Forgets events and vectors but leaves the pin alone: {@link #settle} must follow, under no lock. */
    void forget() {
        isr.forget();
        forgetVectors();
    }

    /** What command register and message control say; {@link #settle} must follow, under no lock. */
    void route(boolean byMessages, boolean withoutPin) {
        messages = byMessages;
        pinDisabled = withoutPin;
    }

    void settle() {
        isr.settle();
    }

    int takeIsr() {
        return isr.take();
    }

    /** Whether the status register shows an interrupt; INTX_DISABLE does not hide it, MSI-X does. */
    boolean pending() {
        return !messages && isr.bits() != 0;
    }

    int configVector() {
        return eventVectors.get(CONFIG_EVENT);
    }

    void configVector(int vector) {
        map(CONFIG_EVENT, vector);
    }

    int queueVector(int queue) {
        return isQueue(queue) ? eventVectors.get(FIRST_QUEUE_EVENT + queue) : CommonConfig.NO_VECTOR;
    }

    void queueVector(int queue, int vector) {
        if (isQueue(queue)) {
            map(FIRST_QUEUE_EVENT + queue, vector);
        }
    }

    private boolean isQueue(int queue) {
        return queue < eventVectors.length() - FIRST_QUEUE_EVENT;
    }

    /** A vector that is not there maps to none, and reading back shows it (section 4.1.5.1.2.1). */
    private void map(int event, int vector) {
        eventVectors.set(event, vector < vectorCount ? vector : CommonConfig.NO_VECTOR);
    }

    private void raise(int event) {
        int vector = eventVectors.get(event);
        if (vector != CommonConfig.NO_VECTOR) {
            vectors.raise(vector);
        }
    }

    private void forgetVectors() {
        for (int event = 0; event < eventVectors.length(); event++) {
            eventVectors.set(event, CommonConfig.NO_VECTOR);
        }
    }
}
