// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * Power management capability, which every function of PCI Express has (PCI Bus Power Management 1.2, section 3.2; PCI
 * Express 3.0, section 7.6).
 *
 * <pre>
 *      byte 0    1      2
 *   0 +--------+------+-------------------------+
 *     | 0x01   | next | capabilities register   |
 *   4 +--------+------+------------+------------+
 *     | control and status         | -          |
 *   8 +----------------------------+------------+
 *
 *   control and status:  15 .. 4 -, without power management events | 3 NO_SOFT_RESET | 2 - | 1 .. 0 state
 * </pre>
 */
public final class PowerCapability {
    /** Offset of the 2-byte register with the {@link #VERSION_1_2 version} and what there is. */
    public static final long CAPABILITIES = 2;
    /** Offset of the 2-byte control and status. */
    public static final long CONTROL = 4;
    /** Bytes of the capability. */
    public static final long SIZE = 8;

    /** In the capabilities register: version 1.2 of the specification. */
    public static final int VERSION_1_2 = 3;
    /** In control and status: the {@link #D0 power state}. */
    public static final int STATE_MASK = 0x3;
    /** In control and status: the way from {@link #D3_HOT} back to {@link #D0} changes nothing in the function. */
    public static final int NO_SOFT_RESET = 1 << 3;
    /** Power state: on. */
    public static final int D0 = 0;
    /**
     * Power state: the function answers to configuration accesses alone, and neither accesses memory nor interrupts.
     */
    public static final int D3_HOT = 3;

    private PowerCapability() {
    }
}
