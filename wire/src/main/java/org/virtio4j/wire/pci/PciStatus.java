// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * Bits of the status register (PCI Local Bus 3.0, section 6.2.3), as far as a virtio function has them.
 *
 * <pre>
 *   bit  15 .. 5   4                 3                  2 .. 0
 *       +--------+-----------------+------------------+--------+
 *       |   -    | CAPABILITY_LIST | INTERRUPT_STATUS |   -    |
 *       +--------+-----------------+------------------+--------+
 * </pre>
 */
public final class PciStatus {
    /** An interrupt is pending at the function's pin, whether or not {@link PciCommand#INTX_DISABLE} lets it out. */
    public static final int INTERRUPT_STATUS = 1 << 3;
    /** {@link PciHeader#CAPABILITIES} leads to a list. */
    public static final int CAPABILITY_LIST = 1 << 4;

    private PciStatus() {
    }
}
