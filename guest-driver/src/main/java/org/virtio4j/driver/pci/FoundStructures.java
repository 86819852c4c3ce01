// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.pci.PciHost.Discovery;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.IsrStatus;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.VirtioCapability;

/**
 * Where the structures of a virtio function lie: of each kind the first that this driver can use, as the device has the
 * better ones first (virtio 1.4, section 4.1.4.1). It can use what lies in a memory BAR, is aligned as the
 * specification has it, and is long enough. Immutable.
 *
 * @param common        common configuration, or null where there is none
 * @param notifications notification addresses, or null where there are none
 * @param isr           ISR status, or null where there is none
 * @param device        configuration of the device type, which not every device has
 */
record FoundStructures(@Nullable Place common, @Nullable Place notifications, @Nullable Place isr,
        @Nullable Place device) {

    /** Without what came with later features; a driver that meets less cannot set up a queue. */
    private static final long COMMON_SIZE = CommonConfig.QUEUE_NOTIF_CONFIG_DATA;

    /**
     * One structure.
     *
     * @param type       a {@code cfg_type} of {@link VirtioCapability}
     * @param bar        number of the BAR
     * @param offset     bytes from the start of the BAR
     * @param length     bytes
     * @param multiplier bytes from one notification address to the next; 0 in other structures
     */
    record Place(int type, int bar, long offset, long length, long multiplier) {

        /** Cut off where the BAR ends, as a length may be larger than anything. */
        private Place within(PciBars bars) {
            return new Place(type, bar, offset, Math.min(length, bars.room(bar, offset)), multiplier);
        }
    }

    /** Reads what the capabilities say. */
    static FoundStructures find(PciFunctionConfig config, PciCapabilityList capabilities, PciBars bars) {
        List<Place> places = new ArrayList<>();
        for (long capability : capabilities.places(PciCapability.VENDOR_SPECIFIC, VirtioCapability.SIZE)) {
            int type = config.u8(capability + VirtioCapability.CFG_TYPE);
            long size = type == VirtioCapability.NOTIFY_CFG ? VirtioCapability.EXTENDED_SIZE : VirtioCapability.SIZE;
            boolean whole = config.u8(capability + VirtioCapability.CAP_LEN) >= size
                    && capability + size <= PciHeader.SPACE_SIZE;
            if (whole && type >= VirtioCapability.COMMON_CFG && type <= VirtioCapability.DEVICE_CFG) {
                places.add(read(config, capability, type).within(bars));
            }
        }
        return new FoundStructures(first(places, VirtioCapability.COMMON_CFG, COMMON_SIZE, Integer.BYTES),
                first(places, VirtioCapability.NOTIFY_CFG, Short.BYTES, Short.BYTES),
                first(places, VirtioCapability.ISR_CFG, IsrStatus.SIZE, 1),
                first(places, VirtioCapability.DEVICE_CFG, 1, Integer.BYTES));
    }

    /** Whether what a driver cannot do without is there. */
    Discovery discovery() {
        if (common == null) {
            return Discovery.NO_COMMON_CONFIG;
        }
        if (notifications == null) {
            return Discovery.NO_NOTIFICATIONS;
        }
        return isr == null ? Discovery.NO_ISR_STATUS : Discovery.FOUND;
    }

    private static Place read(PciFunctionConfig config, long capability, int type) {
        long multiplier = type == VirtioCapability.NOTIFY_CFG
                ? config.u32(capability + VirtioCapability.NOTIFY_OFF_MULTIPLIER)
                : 0;
        return new Place(type, config.u8(capability + VirtioCapability.BAR),
                config.u32(capability + VirtioCapability.OFFSET), config.u32(capability + VirtioCapability.LENGTH),
                multiplier);
    }

    private static @Nullable Place first(List<Place> places, int type, long size, long alignment) {
        for (Place place : places) {
            if (place.type == type && place.length >= size && place.offset % alignment == 0) {
                return place;
            }
        }
        return null;
    }
}
