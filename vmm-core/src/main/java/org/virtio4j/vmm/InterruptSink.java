// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/** Where a device's interrupt vectors go: an eventfd each, or whatever the embedder has. */
public interface InterruptSink {

    /**
     * Delivers one vector, on the thread that caused the interrupt. It should neither block nor call the device.
     *
     * @param vector index of the vector, from 0
     */
    void raise(int vector);
}
