// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/** A level-triggered interrupt input of the embedder's interrupt controller. */
public interface InterruptLine {

    /**
     * Sets the level. The same level may be set again.
     *
     * <p>Called under no lock of this library, on the thread that caused the change, or on one that was calling the
     * line already when another thread caused it. This may be a virtual CPU, a worker of the device, a thread whose DMA
     * faulted, or a thread that resets the device. One device calls its line from one thread at a time.
     *
     * <p>It may read registers and configuration of any device, its own included, while another thread resets it, and
     * it may acknowledge its own events: the line is called again then. It should not block: a reset of the device
     * waits for it without end. It must not reset the device, or one of its queues, on the same thread, nor wait for a
     * thread that does: the reset would wait for the call from which it was made. To reset, tell another
     * thread to do it, and return.
     *
     * <p>What is thrown comes out of the call that changed the level, which counts as set; the next change calls again.
     *
     * @param level true while an interrupt is pending
     */
    void set(boolean level);
}
