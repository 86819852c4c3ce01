// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * Type 0 configuration header, with which every PCI function but a bridge begins (PCI Local Bus 3.0, section 6.1), and
 * what virtio asks of its identification registers (virtio 1.4, section 4.1.2).
 *
 * <pre>
 *        byte 0             1                 2               3
 *   00 +----------------------------------+----------------------------------+
 *      | Vendor ID                        | Device ID                        |
 *   04 +----------------------------------+----------------------------------+
 *      | Command                          | Status                           |
 *   08 +----------------+-----------------+----------------------------------+
 *      | Revision ID    | Class code: interface, subclass, base               |
 *   0c +----------------+-----------------+----------------+-----------------+
 *      | Cache line     | Latency timer   | Header type    | BIST            |
 *   10 +----------------+-----------------+----------------+-----------------+
 *      | BAR 0 .. BAR 5, 4 bytes each; a 64-bit BAR takes two                |
 *   28 +---------------------------------------------------------------------+
 *      | CardBus CIS pointer                                                 |
 *   2c +----------------------------------+----------------------------------+
 *      | Subsystem vendor ID              | Subsystem ID                     |
 *   30 +----------------------------------+----------------------------------+
 *      | Expansion ROM base address                                          |
 *   34 +----------------+----------------------------------------------------+
 *      | Capabilities   | reserved                                           |
 *   38 +----------------+----------------------------------------------------+
 *      | reserved                                                            |
 *   3c +----------------+-----------------+----------------+-----------------+
 *      | Interrupt line | Interrupt pin   | Min_Gnt        | Max_Lat         |
 *   40 +----------------+-----------------+----------------+-----------------+
 * </pre>
 */
public final class PciHeader {
    /** Offset of the 2-byte vendor; {@link #VIRTIO_VENDOR} for a virtio function, {@link #NO_FUNCTION} for none. */
    public static final long VENDOR_ID = 0x00;
    /** Offset of the 2-byte device; {@link #VIRTIO_DEVICE_BASE} plus the virtio device type. */
    public static final long DEVICE_ID = 0x02;
    /** Offset of the 2-byte {@link PciCommand}. */
    public static final long COMMAND = 0x04;
    /** Offset of the 2-byte {@link PciStatus}. */
    public static final long STATUS = 0x06;
    /** Offset of the revision byte; 1 or more for a function that no legacy driver must take. */
    public static final long REVISION_ID = 0x08;
    /** Offset of the 3-byte class code, programming interface first. */
    public static final long CLASS_CODE = 0x09;
    /** Offset of the byte with the cache line size, which software writes and nothing depends on. */
    public static final long CACHE_LINE_SIZE = 0x0c;
    /** Offset of the byte with the layout in its low seven bits, and {@link #MULTI_FUNCTION}. */
    public static final long HEADER_TYPE = 0x0e;
    /** Offset of the first of six 4-byte base address registers. */
    public static final long BAR_0 = 0x10;
    /** Offset of the 2-byte vendor of the board. */
    public static final long SUBSYSTEM_VENDOR_ID = 0x2c;
    /** Offset of the 2-byte number that the board's vendor gave; 0x40 or more for a modern virtio function. */
    public static final long SUBSYSTEM_ID = 0x2e;
    /** Offset of the byte with the offset of the first {@link PciCapability}. */
    public static final long CAPABILITIES = 0x34;
    /** Offset of the byte in which software keeps what line the pin is wired to; nothing depends on it. */
    public static final long INTERRUPT_LINE = 0x3c;
    /** Offset of the byte that says which of the pins INTA (1) to INTD (4) the function uses, or 0. */
    public static final long INTERRUPT_PIN = 0x3d;
    /** Bytes of the header; capabilities lie behind it. */
    public static final long SIZE = 0x40;

    /** Bytes of conventional configuration space, in which the capability list lies. */
    public static final long SPACE_SIZE = 0x100;
    /** Bytes of configuration space with the extended part of PCI Express. */
    public static final long EXTENDED_SPACE_SIZE = 0x1000;
    /** Bytes of a base address register. */
    public static final long BAR_SIZE = 4;
    /** How many base address registers there are. */
    public static final int BARS = 6;
    /** In a BAR's type bits: a 64-bit address in memory space, whose high half is the next BAR. */
    public static final int BAR_MEMORY_64 = 0x4;
    /** Bits of a memory BAR that say its type and never hold an address. */
    public static final int BAR_TYPE_MASK = 0xf;

    /** What the vendor register reads where there is no function. */
    public static final int NO_FUNCTION = 0xffff;
    /** Vendor of every virtio function (section 4.1.2.1). */
    public static final int VIRTIO_VENDOR = 0x1af4;
    /** Device ID of a modern virtio function less its device type (section 4.1.2.1). */
    public static final int VIRTIO_DEVICE_BASE = 0x1040;
    /** The last device ID of virtio (section 4.1.2). */
    public static final int VIRTIO_DEVICE_LAST = 0x107f;
    /** In {@link #HEADER_TYPE}: other functions follow in the same slot. */
    public static final int MULTI_FUNCTION = 0x80;

    private PciHeader() {
    }
}
