// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

import java.util.List;

/** What a message asks for. All but two are asked by the client. */
public final class Command {
    /** Agrees on a version, as the first message: a {@link VersionMessage}. */
    public static final int VERSION = 1;
    /** Gives the server a window of guest memory: a {@link DmaMap}. */
    public static final int DMA_MAP = 2;
    /** Takes windows of guest memory away: a {@link DmaUnmap}. */
    public static final int DMA_UNMAP = 3;
    /** Asks what the device is: a {@link DeviceInfo}. */
    public static final int DEVICE_GET_INFO = 4;
    /** Asks about one region: a {@link RegionInfo}. */
    public static final int DEVICE_GET_REGION_INFO = 5;
    /** Asks for descriptors that write to a region. */
    public static final int DEVICE_GET_REGION_IO_FDS = 6;
    /** Asks about one kind of interrupt: an {@link IrqInfo}. */
    public static final int DEVICE_GET_IRQ_INFO = 7;
    /** Says how interrupts are delivered: an {@link IrqSet}. */
    public static final int DEVICE_SET_IRQS = 8;
    /** Reads registers: a {@link RegionAccess}. */
    public static final int REGION_READ = 9;
    /** Writes registers: a {@link RegionAccess} with data. */
    public static final int REGION_WRITE = 10;
    /** Asked by the server: reads guest memory. */
    public static final int DMA_READ = 11;
    /** Asked by the server: writes guest memory. */
    public static final int DMA_WRITE = 12;
    /** Resets the device; no body. */
    public static final int DEVICE_RESET = 13;
    /** Reads the log of written pages; in old versions of the protocol. */
    public static final int DIRTY_PAGES = 14;
    /** Writes several registers. */
    public static final int REGION_WRITE_MULTI = 15;
    /** Gets, sets or probes a feature, of migration above all. */
    public static final int DEVICE_FEATURE = 16;
    /** Reads the state of the device. */
    public static final int MIG_DATA_READ = 17;
    /** Writes the state of the device. */
    public static final int MIG_DATA_WRITE = 18;

    private static final List<String> NAMES = List.of("VERSION", "DMA_MAP", "DMA_UNMAP", "DEVICE_GET_INFO",
            "DEVICE_GET_REGION_INFO", "DEVICE_GET_REGION_IO_FDS", "DEVICE_GET_IRQ_INFO", "DEVICE_SET_IRQS",
            "REGION_READ", "REGION_WRITE", "DMA_READ", "DMA_WRITE", "DEVICE_RESET", "DIRTY_PAGES",
            "REGION_WRITE_MULTI", "DEVICE_FEATURE", "MIG_DATA_READ", "MIG_DATA_WRITE");

    private Command() {
    }

    /**
     * The name of a command.
     *
     * @param command what a message has
     * @return such as {@code DMA_MAP}, or {@code command 99} for a number without a name
     */
    public static String name(int command) {
        return command >= VERSION && command <= NAMES.size() ? NAMES.get(command - VERSION) : "command " + command;
    }
}
