// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/**
 * A window of device registers as a hypervisor's exit handler reaches it. Every access is answered, at any place and of
 * any width. The guest chooses both, so no access throws. Any thread may call, usually the virtual CPU that made the
 * access.
 */
public interface RegisterHandler {

    /**
     * Reads a register.
     *
     * @param offset bytes from the start of the window
     * @param width  bytes: 1, 2, 4 or 8
     * @return the value, zero-extended; 0 where nothing can be read
     */
    long read(long offset, int width);

    /**
     * Writes a register; ignored where nothing can be written.
     *
     * @param offset bytes from the start of the window
     * @param width  bytes: 1, 2, 4 or 8
     * @param value  its low {@code width} bytes count
     */
    void write(long offset, int width, long value);
}
