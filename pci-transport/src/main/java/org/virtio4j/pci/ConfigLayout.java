// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.device.DeviceInfo;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.ExpressCapability;
import org.virtio4j.wire.pci.IsrStatus;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciCommand;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.PciStatus;
import org.virtio4j.wire.pci.PowerCapability;
import org.virtio4j.wire.pci.VirtioCapability;

/**
 * How the configuration space of a function is laid out, once and for all: header, BARs and the list of capabilities,
 * with their values after a reset and the bits that a guest can write.
 */
final class ConfigLayout {

    /** Where a capability lies that the function does not have. */
    static final long ABSENT = -1;

    private static final int REVISION = 1;
    private static final int SUBSYSTEM = 0x40;
    private static final int PIN_A = 1;
    private static final int COMMAND_BITS = PciCommand.MEMORY_SPACE | PciCommand.BUS_MASTER | PciCommand.PARITY
            | PciCommand.SERR | PciCommand.INTX_DISABLE;

    /** Device control has nothing to control in a function with no link, but keeps what is written: errors, sizes. */
    private static final int DEVICE_CONTROL_BITS = 0x78ff;

    private final RegisterBytes bytes = new RegisterBytes((int) PciHeader.SPACE_SIZE);
    private final BarLayout bars;
    private final long express;
    private final long msix;
    private final long window;
    private final long power;

    /** Where the next capability goes, and the byte that must point at it. */
    private long end = PciHeader.SIZE;
    private long link = PciHeader.CAPABILITIES;

    ConfigLayout(DeviceInfo info, PciOptions options, BarLayout bars, boolean hasPin) {
        this.bars = bars;
        identify(info, options, hasPin);
        if (bars.vectors() > 0) {
            placeBar(BarLayout.MSIX);
        }
        placeBar(BarLayout.VIRTIO);
        express = placeExpress(options);
        msix = bars.vectors() == 0 ? ABSENT : placeMsix();
        placeStructure(VirtioCapability.COMMON_CFG, VirtioCapability.SIZE, BarLayout.COMMON, CommonConfig.SIZE);
        long notify = placeStructure(VirtioCapability.NOTIFY_CFG, VirtioCapability.EXTENDED_SIZE, BarLayout.NOTIFY,
                bars.notifySize());
        set32(notify + VirtioCapability.NOTIFY_OFF_MULTIPLIER, BarLayout.NOTIFY_MULTIPLIER);
        placeStructure(VirtioCapability.ISR_CFG, VirtioCapability.SIZE, BarLayout.ISR, IsrStatus.SIZE);
        if (info.configSize() > 0) {
            placeStructure(VirtioCapability.DEVICE_CFG, VirtioCapability.SIZE, BarLayout.DEVICE, info.configSize());
        }
        window = placeWindow();
        power = placePower();
        bytes.keepAsInitial();
    }

    /** The space itself, as after a reset. */
    RegisterBytes bytes() {
        return bytes;
    }

    /** Offset of the PCI Express capability. */
    long express() {
        return express;
    }

    /** Offset of the MSI-X capability, or {@link #ABSENT}. */
    long msix() {
        return msix;
    }

    /** Offset of the capability with the window on the BARs (virtio 1.4, section 4.1.4.9). */
    long window() {
        return window;
    }

    /** Offset of the power management capability. */
    long power() {
        return power;
    }

    /** Offset of the register of a BAR, of the low half if it has two. */
    static long barRegister(int bar) {
        return PciHeader.BAR_0 + bar * PciHeader.BAR_SIZE;
    }

    private void identify(DeviceInfo info, PciOptions options, boolean hasPin) {
        set16(PciHeader.VENDOR_ID, PciHeader.VIRTIO_VENDOR);
        set16(PciHeader.DEVICE_ID, PciHeader.VIRTIO_DEVICE_BASE + info.deviceType());
        bytes.allow(PciHeader.COMMAND, Short.BYTES, COMMAND_BITS);
        set16(PciHeader.STATUS, PciStatus.CAPABILITY_LIST);
        set8(PciHeader.REVISION_ID, REVISION);
        bytes.set(PciHeader.CLASS_CODE, 3, ClassCode.of(info.deviceType()));
        bytes.allow(PciHeader.CACHE_LINE_SIZE, Byte.BYTES, 0xff);
        set8(PciHeader.HEADER_TYPE, options.multifunction() ? PciHeader.MULTI_FUNCTION : 0);
        set16(PciHeader.SUBSYSTEM_VENDOR_ID, PciHeader.VIRTIO_VENDOR);
        set16(PciHeader.SUBSYSTEM_ID, SUBSYSTEM);
        bytes.allow(PciHeader.INTERRUPT_LINE, Byte.BYTES, 0xff);
        set8(PciHeader.INTERRUPT_PIN, hasPin ? PIN_A : 0);
    }

    /** Address bits below the size stay 0, which is how software learns the size. */
    private void placeBar(int bar) {
        long at = barRegister(bar);
        long addressBits = -bars.size(bar);
        bytes.allow(at, Integer.BYTES, (int) addressBits);
        if (BarLayout.isWide(bar)) {
            set32(at, PciHeader.BAR_MEMORY_64);
            bytes.allow(at + PciHeader.BAR_SIZE, Integer.BYTES, (int) (addressBits >>> Integer.SIZE));
        }
    }

    private long placeExpress(PciOptions options) {
        long at = append(PciCapability.EXPRESS, ExpressCapability.SIZE);
        int type = options.rootComplexIntegrated()
                ? ExpressCapability.TYPE_INTEGRATED_ENDPOINT : ExpressCapability.TYPE_ENDPOINT;
        set16(at + ExpressCapability.CAPABILITIES,
                ExpressCapability.VERSION_2 | type << ExpressCapability.TYPE_SHIFT);
        set32(at + ExpressCapability.DEVICE_CAPABILITIES,
                ExpressCapability.ROLE_BASED_ERROR_REPORTING | ExpressCapability.FUNCTION_LEVEL_RESET);
        bytes.allow(at + ExpressCapability.DEVICE_CONTROL, Short.BYTES,
                DEVICE_CONTROL_BITS | ExpressCapability.INITIATE_FUNCTION_RESET);
        if (!options.rootComplexIntegrated()) {
            describeLink(at);
        }
        return at;
    }

    /** A link that there is not: the slowest and narrowest that can be, so that no port promises less. */
    private void describeLink(long at) {
        int link = ExpressCapability.SPEED_2_5 | ExpressCapability.WIDTH_1;
        set32(at + ExpressCapability.LINK_CAPABILITIES, link | ExpressCapability.POWER_OPTIONALITY);
        bytes.allow(at + ExpressCapability.LINK_CONTROL, Short.BYTES, ExpressCapability.LINK_CONTROL_BITS);
        set16(at + ExpressCapability.LINK_STATUS, link);
        set32(at + ExpressCapability.LINK_CAPABILITIES_2, ExpressCapability.SUPPORTS_2_5);
    }

    /** D0 and D3hot, no events. The device keeps all of its state in D3hot, so that there is nothing to restore. */
    private long placePower() {
        long at = append(PciCapability.POWER_MANAGEMENT, PowerCapability.SIZE);
        set16(at + PowerCapability.CAPABILITIES, PowerCapability.VERSION_1_2);
        set16(at + PowerCapability.CONTROL, PowerCapability.NO_SOFT_RESET);
        bytes.allow(at + PowerCapability.CONTROL, Short.BYTES, PowerCapability.STATE_MASK);
        return at;
    }

    private long placeMsix() {
        long at = append(PciCapability.MSIX, MsixCapability.SIZE);
        set16(at + MsixCapability.MESSAGE_CONTROL, bars.vectors() - 1);
        bytes.allow(at + MsixCapability.MESSAGE_CONTROL, Short.BYTES,
                MsixCapability.ENABLE | MsixCapability.FUNCTION_MASK);
        set32(at + MsixCapability.TABLE, BarLayout.MSIX);
        set32(at + MsixCapability.PENDING_BITS, (int) bars.pendingBits() | BarLayout.MSIX);
        return at;
    }

    private long placeStructure(int type, long size, long offset, long length) {
        long at = append(PciCapability.VENDOR_SPECIFIC, size);
        set8(at + VirtioCapability.CAP_LEN, (int) size);
        set8(at + VirtioCapability.CFG_TYPE, type);
        set8(at + VirtioCapability.BAR, BarLayout.VIRTIO);
        set32(at + VirtioCapability.OFFSET, (int) offset);
        set32(at + VirtioCapability.LENGTH, (int) length);
        return at;
    }

    private long placeWindow() {
        long at = placeStructure(VirtioCapability.PCI_CFG, VirtioCapability.EXTENDED_SIZE, 0, 0);
        set8(at + VirtioCapability.BAR, 0);
        bytes.allow(at + VirtioCapability.BAR, Byte.BYTES, 0xff);
        bytes.allow(at + VirtioCapability.OFFSET, Integer.BYTES, -1);
        bytes.allow(at + VirtioCapability.LENGTH, Integer.BYTES, -1);
        bytes.allow(at + VirtioCapability.PCI_CFG_DATA, Integer.BYTES, -1);
        return at;
    }

    private long append(int id, long size) {
        long at = end;
        set8(link, (int) at);
        set8(at + PciCapability.ID, id);
        link = at + PciCapability.NEXT;
        end = at + size;
        return at;
    }

    private void set8(long offset, int value) {
        bytes.set(offset, Byte.BYTES, value);
    }

    private void set16(long offset, int value) {
        bytes.set(offset, Short.BYTES, value);
    }

    private void set32(long offset, int value) {
        bytes.set(offset, Integer.BYTES, value);
    }
}
