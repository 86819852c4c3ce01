// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/** A level-triggered interrupt input of the embedder's interrupt controller. */
public interface InterruptLine {

    /**
     * Sets the level, on the thread that caused the change. It should neither block nor call the device. The same level
     * may be set again.
     *
     * @param level true while an interrupt is pending
     */
    void set(boolean level);
}
