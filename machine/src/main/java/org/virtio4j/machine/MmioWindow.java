// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

/**
 * A virtio device over MMIO as firmware describes it to a guest.
 *
 * @param base      where the window lies
 * @param size      bytes of the window; usually {@code VirtioMmioDevice.WINDOW_SIZE}
 * @param interrupt the number of the device's interrupt, as the guest's firmware counts: for ACPI a global system
 *                  interrupt
 */
public record MmioWindow(MmioBase base, long size, int interrupt) {

    /**
     * Makes a description.
     *
     * @throws IllegalArgumentException if the size is not positive, the window goes beyond 64 bits, or the interrupt is
     *         negative
     */
    public MmioWindow {
        if (size <= 0 || Long.compareUnsigned(base.address() + (size - 1), base.address()) < 0) {
            throw new IllegalArgumentException("size=" + size + ": must be at least 1, and the window at " + base
                    + " must end within 64 bits");
        }
        if (interrupt < 0) {
            throw new IllegalArgumentException("interrupt=" + interrupt + ": must be 0 or more");
        }
    }

    /**
     * The option that tells Linux of the device where neither ACPI nor a device tree does (Linux, {@code
     * Documentation/admin-guide/kernel-parameters.txt}). The kernel must be built with {@code
     * CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES}, which Debian's are not.
     *
     * @return a word of the kernel's command line
     */
    public String linuxOption() {
        return "virtio_mmio.device=0x" + Long.toHexString(size) + "@" + base + ":" + interrupt;
    }
}
