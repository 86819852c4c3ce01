// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.device.DeviceInfo;
import org.virtio4j.wire.pci.ExpressCapability;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciCommand;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.PciStatus;
import org.virtio4j.wire.pci.PowerCapability;
import org.virtio4j.wire.pci.VirtioCapability;

/**
 * The configuration space of one function, and the registers in it that the function acts upon; {@link ConfigLayout}
 * says where they are. Guarded by the function's lock.
 */
final class PciConfigSpace {

    /** A BAR that leads nowhere. */
    static final long NONE = -1;

    private static final long ADDRESS_MASK = ~0xfL;

    private final BarLayout bars;
    private final ConfigLayout at;
    private final RegisterBytes bytes;

    PciConfigSpace(DeviceInfo info, PciOptions options, BarLayout bars, boolean hasPin) {
        this.bars = bars;
        this.at = new ConfigLayout(info, options, bars, hasPin);
        this.bytes = at.bytes();
    }

    boolean isAccess(long offset, int width) {
        return bytes.isAccess(offset, width);
    }

    int read(long offset, int width) {
        return bytes.get(offset, width);
    }

    /** A power state that the function does not have changes nothing (PCI Bus Power Management 1.2, section 3.2.4). */
    void write(long offset, int width, int value) {
        int before = powerState();
        bytes.write(offset, width, value);
        int state = powerState();
        if (state != PowerCapability.D0 && state != PowerCapability.D3_HOT) {
            powerState(before);
        }
    }

    void reset() {
        bytes.reset();
    }

    /**
     * What the function may do on the bus: what the command register says, but nothing while it sleeps. The register
     * itself keeps what was written, and holds again when the function is awake.
     */
    int command() {
        int command = bytes.get(PciHeader.COMMAND, Short.BYTES);
        int off = PciCommand.MEMORY_SPACE | PciCommand.BUS_MASTER;
        return asleep() ? (command & ~off) | PciCommand.INTX_DISABLE : command;
    }

    /** The bus master bit as it was written, whether the function is awake or not. */
    boolean mayMasterBus() {
        return (bytes.get(PciHeader.COMMAND, Short.BYTES) & PciCommand.BUS_MASTER) != 0;
    }

    /** Whether the function is in D3hot. */
    boolean asleep() {
        return powerState() == PowerCapability.D3_HOT;
    }

    /** Message control of MSI-X; all bits are clear in a function without it. */
    int messageControl() {
        return at.msix() == ConfigLayout.ABSENT ? 0
                : bytes.get(at.msix() + MsixCapability.MESSAGE_CONTROL, Short.BYTES);
    }

    void interruptStatus(boolean pending) {
        bytes.set(PciHeader.STATUS, Short.BYTES,
                PciStatus.CAPABILITY_LIST | (pending ? PciStatus.INTERRUPT_STATUS : 0));
    }

    /** Whether the guest has asked for a reset of the function since the last call; the bit always reads 0. */
    boolean takeFunctionReset() {
        long offset = at.express() + ExpressCapability.DEVICE_CONTROL;
        int control = bytes.get(offset, Short.BYTES);
        bytes.set(offset, Short.BYTES, control & ~ExpressCapability.INITIATE_FUNCTION_RESET);
        return (control & ExpressCapability.INITIATE_FUNCTION_RESET) != 0;
    }

    /**
     * The address in a BAR, or {@link #NONE} for a BAR that is not there, was not set, or holds the ones with which its
     * size is asked for.
     */
    long barAddress(int bar) {
        if (bars.size(bar) == 0) {
            return NONE;
        }
        long ones = BarLayout.isWide(bar) ? ADDRESS_MASK : ADDRESS_MASK & PciBus.LAST_NARROW;
        long register = ConfigLayout.barRegister(bar);
        long low = Integer.toUnsignedLong(bytes.get(register, Integer.BYTES));
        long high = Integer.toUnsignedLong(bytes.get(register + PciHeader.BAR_SIZE, Integer.BYTES));
        long address = (low | (high << Integer.SIZE)) & ones;
        return address == 0 || address == (-bars.size(bar) & ones) ? NONE : address;
    }

    /** Whether an access touches the data of the window on the BARs. */
    boolean touchesWindowData(long offset, int width) {
        long data = at.window() + VirtioCapability.PCI_CFG_DATA;
        return offset < data + Integer.BYTES && offset + width > data;
    }

    int windowBar() {
        return bytes.get(at.window() + VirtioCapability.BAR, Byte.BYTES);
    }

    long windowOffset() {
        return Integer.toUnsignedLong(bytes.get(at.window() + VirtioCapability.OFFSET, Integer.BYTES));
    }

    /** As written, and none while the function sleeps; anything but 1, 2 and 4 is no length. */
    int windowLength() {
        return asleep() ? 0 : bytes.get(at.window() + VirtioCapability.LENGTH, Integer.BYTES);
    }

    int windowData() {
        return bytes.get(at.window() + VirtioCapability.PCI_CFG_DATA, Integer.BYTES);
    }

    void windowData(int width, int value) {
        bytes.set(at.window() + VirtioCapability.PCI_CFG_DATA, width, value);
    }

    private int powerState() {
        return bytes.get(at.power() + PowerCapability.CONTROL, Byte.BYTES) & PowerCapability.STATE_MASK;
    }

    private void powerState(int state) {
        bytes.set(at.power() + PowerCapability.CONTROL, Byte.BYTES, PowerCapability.NO_SOFT_RESET | state);
    }
}
