// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * Bits of the command register: what a function may do on the bus (PCI Local Bus 3.0, section 6.2.2). All are 0 after a
 * reset; bits that are not named here stay 0 in a virtio function.
 *
 * <pre>
 *   bit  15 .. 11   10             9   8       7   6        5 .. 3   2            1              0
 *       +---------+--------------+---+-------+---+--------+--------+------------+--------------+----------+
 *       |    -    | INTX_DISABLE | - | SERR# | - | PARITY |   -    | BUS_MASTER | MEMORY_SPACE | IO_SPACE |
 *       +---------+--------------+---+-------+---+--------+--------+------------+--------------+----------+
 * </pre>
 */
public final class PciCommand {
    /** The function answers to accesses of its memory BARs. */
    public static final int MEMORY_SPACE = 1 << 1;
    /** The function may access memory on its own, with interrupt messages too. */
    public static final int BUS_MASTER = 1 << 2;
    /**
     * The function answers to parity errors. There are none between guest and function, so the bit is only kept; PCI
     * Express lets only integrated endpoints go without it, as without {@link #SERR}.
     */
    public static final int PARITY = 1 << 6;
    /** The function may report fatal errors. There are none, so the bit is only kept. */
    public static final int SERR = 1 << 8;
    /** The function keeps its interrupt pin low. */
    public static final int INTX_DISABLE = 1 << 10;

    private PciCommand() {
    }
}
