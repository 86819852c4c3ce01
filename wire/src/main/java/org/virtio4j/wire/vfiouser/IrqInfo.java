// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#DEVICE_GET_IRQ_INFO} and of its reply. In the request only {@code argsz} and the index count.
 *
 * <pre>
 *      byte 0         4         8         12       16
 *     +-------------+---------+---------+--------+
 *     | argsz       | flags   | index   | count  |
 *     +-------------+---------+---------+--------+
 * </pre>
 */
public final class IrqInfo {
    /** Offset of the 4-byte size of the reply that there is room for; in the reply, of this body. */
    public static final long ARGSZ = 0;
    /** Offset of the 4-byte flags. */
    public static final long FLAGS = 4;
    /** Offset of the 4-byte {@link PciIrq}. */
    public static final long INDEX = 8;
    /** Offset of the 4-byte number of interrupts of this kind. */
    public static final long COUNT = 12;
    /** Bytes of the body. */
    public static final long SIZE = 16;

    /** Interrupts are signalled by eventfd. */
    public static final int EVENTFD = 1;
    /** The interrupt can be masked. */
    public static final int MASKABLE = 2;
    /** The interrupt is masked whenever it was signalled, until it is unmasked. */
    public static final int AUTOMASKED = 4;
    /** Which interrupts are enabled can only be changed for all of them together. */
    public static final int NORESIZE = 8;

    private IrqInfo() {
    }
}
