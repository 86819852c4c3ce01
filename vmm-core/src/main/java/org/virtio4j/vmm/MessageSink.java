// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/** Receives message-signalled interrupts: DMA writes that end in a doorbell region. */
public interface MessageSink {

    /**
     * Delivers one message, on the thread of the device that sent it, outside any section.
     *
     * @param requesterId who sent it, bus/device/function for PCI
     * @param address     guest-physical address written to
     * @param data        the 32 bits written
     */
    void send(int requesterId, long address, int data);
}
