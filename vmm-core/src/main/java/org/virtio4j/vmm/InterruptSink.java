// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/**
 * Where a device's interrupt vectors go: an eventfd each, or what the embedder has in its place. The embedder keeps the
 * table of messages and its masks.
 *
 * <p>Both methods are called under no lock of this library, on the thread that caused the call: a virtual CPU, a worker
 * of the device, a thread whose DMA faulted, or a thread that resets the device. Several threads may call at once, for
 * one vector too. An implementation may read registers and configuration of any device, its own included, while another
 * thread resets it. It should not block: a reset of the device, a reset of the queue and a change of the vector wait
 * for the calls under way, without end.
 *
 * <p>It must not reset the device whose interrupt this is, or one of its queues, on the same thread, and must not wait
 * for a thread that does. The reset would wait for the call from which it was made. To reset, tell another thread to do
 * it, and return.
 *
 * <p>What is thrown comes out of the call that caused the interrupt. The vector counts as raised or withdrawn all the
 * same. The device stays as it is, and calls for other vectors are made.
 */
public interface InterruptSink {

    /**
     * Delivers one vector, or remembers that it is pending while the guest has masked it.
     *
     * @param vector index of the vector, from 0
     */
    void raise(int vector);

    /**
     * Withdraws a vector: what was raised for it and not delivered, because it is masked or nobody listens, is not to
     * be delivered any more (virtio 1.4, sections 2.4.1, 2.6.1.1.1, 4.1.5.3.1 and 4.1.5.4.1). What was delivered stays
     * delivered, and a later {@link #raise} counts as usual. A sink that keeps vectors pending overrides this; the
     * default does nothing.
     *
     * <p>An event, which is a queue or the change of the configuration, ends its claim to a vector when it is mapped to
     * another vector or to none, and when its queue, the device or the function is reset. This is called when an event
     * that has raised the vector ends its claim and no other is left that is mapped to the vector and has raised it
     * since then. So where events share a vector, the end of one never loses the interrupt of another. The price: a
     * shared vector may be delivered once for an event that has ended, if another event has ever raised it. A driver
     * that shares vectors looks at all its queues anyway.
     *
     * <p>No {@link #raise} of an event that has ended is under way at the call. If another event raises the vector at
     * the same time, the vector is raised once more after this has returned.
     *
     * @param vector index of the vector, from 0
     */
    default void withdraw(int vector) {
    }
}
