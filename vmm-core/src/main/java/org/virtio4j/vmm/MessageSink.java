// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/**
 * Receives message-signalled interrupts: DMA writes that end in a doorbell region.
 *
 * <p>Called under no lock of this library and outside any section, on the thread that caused the message: a virtual CPU
 * that unmasks a vector, a worker of the device. Several threads may call at once. It may read registers and
 * configuration of any device, the sender included, while another thread resets it. It should not block: a reset of the
 * sender, a reset of the queue and a change of the vector wait for the calls under way, without end.
 *
 * <p>It must not reset the sender, or one of its queues, on the same thread, and must not wait for a thread that does:
 * the reset would wait for the call from which it was made. To reset, tell another thread to do it, and return.
 *
 * <p>What is thrown comes out of the call that caused the message, which counts as sent. Messages of other vectors that
 * were to be sent by the same call are still sent.
 */
public interface MessageSink {

    /**
     * Delivers one message.
     *
     * @param requesterId who sent it, bus/device/function for PCI
     * @param address     guest-physical address written to
     * @param data        the 32 bits written
     */
    void send(int requesterId, long address, int data);
}
