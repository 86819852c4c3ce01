// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#DEVICE_SET_IRQS}. The reply has none. Eventfds travel with the message.
 *
 * <pre>
 *      byte 0         4         8         12        16       20
 *     +-------------+---------+---------+---------+--------+----------------------------+
 *     | argsz       | flags   | index   | start   | count  | with DATA_BOOL: count bytes |
 *     +-------------+---------+---------+---------+--------+----------------------------+
 *
 *   flags:  5 TRIGGER | 4 UNMASK | 3 MASK | 2 DATA_EVENTFD | 1 DATA_BOOL | 0 DATA_NONE
 * </pre>
 *
 * <p>One action and one kind of data are chosen. {@code TRIGGER} with eventfds says what to signal from now on, and
 * without eventfds that nothing is signalled any more; with another kind of data it signals now. {@code TRIGGER} with
 * {@code DATA_NONE} and a count of 0 disables all interrupts of the kind.
 */
public final class IrqSet {
    /** Offset of the 4-byte size of this body. */
    public static final long ARGSZ = 0;
    /** Offset of the 4-byte flags. */
    public static final long FLAGS = 4;
    /** Offset of the 4-byte {@link PciIrq}. */
    public static final long INDEX = 8;
    /** Offset of the 4-byte number of the first interrupt meant. */
    public static final long START = 12;
    /** Offset of the 4-byte number of interrupts meant. */
    public static final long COUNT = 16;
    /** Bytes of the body without data. */
    public static final long SIZE = 20;

    /** All interrupts of the range. */
    public static final int DATA_NONE = 1;
    /** A byte for each interrupt of the range, 0 for those not meant. */
    public static final int DATA_BOOL = 2;
    /** An eventfd for each interrupt of the range, or none at all. */
    public static final int DATA_EVENTFD = 4;
    /** Holds the interrupt back. */
    public static final int ACTION_MASK = 8;
    /** Lets the interrupt through. */
    public static final int ACTION_UNMASK = 16;
    /** Signals, or says what to signal. */
    public static final int ACTION_TRIGGER = 32;

    private IrqSet() {
    }
}
