// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.device.transport.InterruptStatus;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.IsrStatus;

/**
 * Where each event of the device goes (virtio 1.4, sections 4.1.5.3 and 4.1.5.4): to the vector the driver chose for it
 * while MSI-X is enabled, to ISR status and the pin otherwise. Any thread may call any method.
 */
final class FunctionInterrupts {

    private static final int CONFIG_EVENT = 0;
    private static final int FIRST_QUEUE_EVENT = 1;

    private final int events;
    private final InterruptStatus isr;
    private final VectorRoute vectors;

    private volatile boolean messages;
    private volatile boolean pinDisabled;

    FunctionInterrupts(int queues, VectorRoute vectors, InterruptLine pin) {
        this.events = FIRST_QUEUE_EVENT + queues;
        this.isr = new InterruptStatus(pin, () -> !messages && !pinDisabled, queues, IsrStatus.QUEUE);
        this.vectors = vectors;
    }

    void queueUsed(int queue) {
        if (messages) {
            vectors.raise(FIRST_QUEUE_EVENT + queue);
        } else {
            isr.raiseUsed(queue);
        }
    }

    /** Section 2.6.1.1.1: ISR status does not report a queue that was reset; {@link #updatePin} must follow. */
    void queueEnded(int queue) {
        isr.withdrawQueue(queue);
    }

    /** Sets the pin to the level that ISR status says, under no lock. */
    void updatePin() {
        isr.updateLineIfMoved();
    }

    /** Section 4.1.4.5.1: the bit is set before the notification, with MSI-X too. */
    void configChanged() {
        Throwable thrown = FirstFailure.after(null, () -> isr.raise(IsrStatus.CONFIG));
        if (messages) {
            thrown = FirstFailure.after(thrown, () -> vectors.raise(CONFIG_EVENT));
        }
        FirstFailure.throwIt(thrown);
    }

    /** Withdraws all events, without a call or a wait: {@link #awaitWithdrawn} must follow, under no lock. */
    void withdrawAll() {
        isr.withdrawAll();
        vectors.withdrawAll();
    }

    /**
     * Section 2.4.1: returns when no earlier interrupt is on its way, the pin is low and what the embedder held is
     * withdrawn.
     */
    void awaitWithdrawn() {
        Throwable thrown = FirstFailure.after(null, vectors::awaitWithdrawn);
        FirstFailure.throwIt(FirstFailure.after(thrown, isr::updateLine));
    }

    /** What command register and message control say; {@link #update} must follow, under no lock. */
    void route(boolean byMessages, boolean masked, boolean withoutPin) {
        messages = byMessages;
        pinDisabled = withoutPin;
        vectors.control(byMessages, masked);
    }

    /** No message leaves a function that is no bus master; {@link #update} must follow, under no lock. */
    void hold(boolean held) {
        vectors.hold(held);
    }

    /** The function was reset, and the MSI-X table with it. */
    void resetTable() {
        vectors.reset();
    }

    /** Whether events leave by messages, and not by the pin. */
    boolean byMessages() {
        return messages;
    }

    /** Sets the pin to its level, and sends the vectors that were held back and are not any more. */
    void update() {
        Throwable thrown = FirstFailure.after(null, isr::updateLine);
        FirstFailure.throwIt(FirstFailure.after(thrown, vectors::flush));
    }

    int takeIsr() {
        return isr.take();
    }

    /** Whether the status register shows an interrupt; INTX_DISABLE does not hide it, MSI-X does. */
    boolean pending() {
        return !messages && isr.bits() != 0;
    }

    int configVector() {
        return vectors.vector(CONFIG_EVENT);
    }

    void configVector(int vector) {
        vectors.map(CONFIG_EVENT, vector);
    }

    int queueVector(int queue) {
        return isQueue(queue) ? vectors.vector(FIRST_QUEUE_EVENT + queue) : CommonConfig.NO_VECTOR;
    }

    void queueVector(int queue, int vector) {
        if (isQueue(queue)) {
            vectors.map(FIRST_QUEUE_EVENT + queue, vector);
        }
    }

    private boolean isQueue(int queue) {
        return queue < events - FIRST_QUEUE_EVENT;
    }
}
