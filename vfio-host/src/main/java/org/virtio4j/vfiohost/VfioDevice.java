// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.os.vfio.DeviceFile;
import org.virtio4j.os.vfio.DeviceFile.Region;

/**
 * A PCI function of the host in the hands of this process. {@link VfioContainer#device} opens it, with bus mastering
 * off, and the container closes it. Any thread may call.
 */
public final class VfioDevice {

    private static final int BARS = 6;
    private static final int COMMAND = 4;
    private static final int COMMAND_MEMORY = 2;
    private static final int COMMAND_BUS_MASTER = 4;

    private final String name;
    private final VfioGroup group;
    private final DeviceFile file;
    private final Region config;
    private final boolean resets;

    /** Closing it unmaps what was mapped. */
    private final Arena mapped = Arena.ofShared();
    private boolean closed;

    /** Whether bus mastering must stay off, because what the device may reach is not known any more. */
    private boolean cutOff;

    private VfioDevice(String name, VfioGroup group, DeviceFile file, Region config, boolean resets) {
        this.name = name;
        this.group = group;
        this.file = file;
        this.config = config;
        this.resets = resets;
    }

    static VfioDevice open(String name, VfioGroup group) throws IOException {
        DeviceFile file = group.device(name);
        try {
            if (!file.isPci()) {
                throw new IOException(name + " is no function of PCI");
            }
            VfioDevice device = new VfioDevice(name, group, file, file.region(DeviceFile.CONFIG_REGION),
                    file.canReset());
            device.busMastering(false);
            return device;
        } catch (IOException | RuntimeException | Error refused) {
            file.close();
            throw refused;
        }
    }

    /**
     * The name of the function.
     *
     * @return as Linux has it, such as {@code 0000:00:05.0}
     */
    public String name() {
        return name;
    }

    /**
     * The group it is in.
     *
     * @return an open group
     */
    public VfioGroup group() {
        return group;
    }

    /**
     * Reads the configuration space. What Linux keeps to itself, such as where BARs lie in the host, reads as it was
     * written.
     *
     * @param register offset, in bytes
     * @param width    1, 2 or 4 bytes
     * @return the value
     * @throws IOException if the device has no such register, or is closed
     */
    public long readConfig(int register, int width) throws IOException {
        return file.read(config.offset() + checkedConfig(register, width), width);
    }

    /**
     * Writes to the configuration space.
     *
     * @param register offset, in bytes
     * @param width    1, 2 or 4 bytes
     * @param value    its low bytes count
     * @throws IOException if the device has no such register, or is closed; if this would switch bus mastering on again
     *         after the device was cut off
     */
    public synchronized void writeConfig(int register, int width, long value) throws IOException {
        if (cutOff && setsBusMaster(register, width, value)) {
            throw new IOException(name + " is cut off from memory, so bus mastering stays off; open it again");
        }
        file.write(config.offset() + checkedConfig(register, width), width, value);
    }

    /**
     * How long a BAR is.
     *
     * @param bar 0 to 5
     * @return bytes; 0 if there is none
     * @throws IOException if the system refuses to say
     */
    public long barSize(int bar) throws IOException {
        return bar(bar).size();
    }

    /**
     * Reads a register. {@link #mapBar} is faster.
     *
     * @param bar    0 to 5
     * @param offset in bytes
     * @param width  1, 2, 4 or 8 bytes
     * @return the value
     * @throws IOException if the device has nothing there, does not answer at its BARs, or is closed
     */
    public long readBar(int bar, long offset, int width) throws IOException {
        return file.read(bar(bar).offset() + offset, width);
    }

    /**
     * Writes to a register.
     *
     * @param bar    0 to 5
     * @param offset in bytes
     * @param width  1, 2, 4 or 8 bytes
     * @param value  its low bytes count
     * @throws IOException if the device has nothing there, does not answer at its BARs, or is closed
     */
    public void writeBar(int bar, long offset, int width, long value) throws IOException {
        file.write(bar(bar).offset() + offset, width, value);
    }

    /**
     * Maps the registers of a BAR. An access while the device does not answer at its BARs ends in an {@link
     * InternalError}, so switch {@linkplain #answering that} on first.
     *
     * @param bar 0 to 5
     * @return the registers, until the device is closed
     * @throws IOException if there is no such BAR, or it cannot be mapped
     */
    public MemorySegment mapBar(int bar) throws IOException {
        Region region = bar(bar);
        if (region.size() == 0 || !region.mappable()) {
            throw new IOException("BAR " + bar + " of " + name + " cannot be mapped; use readBar and writeBar");
        }
        return file.map(region, mapped);
    }

    /**
     * Lets the device answer at its BARs, or not.
     *
     * @param on whether it does
     * @throws IOException if the device does not take it
     */
    public void answering(boolean on) throws IOException {
        command(COMMAND_MEMORY, on);
    }

    /**
     * Lets the device do DMA and send messages, or not.
     *
     * @param on whether it may
     * @throws IOException if the device does not take it, or it is to be on after the device was cut off
     */
    public void busMastering(boolean on) throws IOException {
        command(COMMAND_BUS_MASTER, on);
    }

    /**
     * Whether the device can be reset alone.
     *
     * @return as Linux found out
     */
    public boolean canReset() {
        return resets;
    }

    /**
     * Resets the device. It answers and does DMA afterwards if it did before.
     *
     * @throws IOException if it cannot be reset, or did not end in time
     */
    public void reset() throws IOException {
        file.reset();
    }

    /** Takes bus mastering from the device for good, and resets it if that is possible. */
    synchronized void cutOff() throws IOException {
        cutOff = true;
        busMastering(false);
        if (canReset()) {
            reset();
        }
    }

    static boolean setsBusMaster(int register, int width, long value) {
        boolean covers = register <= COMMAND && COMMAND < register + width;
        return covers && ((value >> (Byte.SIZE * (COMMAND - register))) & COMMAND_BUS_MASTER) != 0;
    }

    /** Unmaps BARs, and gives the device back to Linux, which takes bus mastering from it and resets it. */
    synchronized void close() {
        if (!closed) {
            closed = true;
            try {
                mapped.close();
            } finally {
                file.close();
            }
        }
    }

    /** Locked: a write of what was read before a cut-off would switch bus mastering on again. */
    private synchronized void command(int bit, boolean on) throws IOException {
        long now = readConfig(COMMAND, Short.BYTES);
        writeConfig(COMMAND, Short.BYTES, on ? now | bit : now & ~bit);
        long then = readConfig(COMMAND, Short.BYTES);
        if (((then & bit) != 0) != on) {
            throw new IOException(name + ": command register 0x" + Long.toHexString(then) + " after a write of bit 0x"
                    + Integer.toHexString(bit) + "=" + on);
        }
    }

    private long checkedConfig(int register, int width) {
        if (register < 0 || register + width > config.size()) {
            throw new IllegalArgumentException("register=" + register + " width=" + width + ", but " + name + " has "
                    + config.size() + " bytes of configuration space");
        }
        return register;
    }

    private Region bar(int bar) throws IOException {
        if (bar < 0 || bar >= BARS) {
            throw new IllegalArgumentException("bar=" + bar + ", but a function has BARs 0 to 5");
        }
        return file.region(bar);
    }

    @Override
    public String toString() {
        return name;
    }
}
