// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser.proxy;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.iommu.IommuConfig;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.ExpressCapability;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.MsixEntry;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.pci.PowerCapability;
import org.virtio4j.wire.pci.VirtioCapability;
import org.virtio4j.wire.vfiouser.PciRegion;

/**
 * Names for registers, those of the specification as {@code org.virtio4j.wire} has them. Where the structures of virtio
 * lie is learnt from what the client reads of the capabilities; until it has, they are taken to lie where most
 * implementations have them, in BAR 4.
 */
final class RegisterNames {

    private static final Map<Integer, String> STRUCTURES = Map.of(VirtioCapability.COMMON_CFG, "common_cfg",
            VirtioCapability.NOTIFY_CFG, "notify_cfg", VirtioCapability.ISR_CFG, "isr_cfg",
            VirtioCapability.DEVICE_CFG, "device_cfg", VirtioCapability.PCI_CFG, "pci_cfg");

    /** Those offsets of a layout that are none. */
    private static final Set<String> SIZES = Set.of("SIZE", "SPACE_SIZE", "EXTENDED_SPACE_SIZE", "BAR_SIZE",
            "EXTENDED_SIZE");

    /** Offset in the header of the address of the expansion ROM, which no function of ours has. */
    private static final long ROM = 0x30;

    /** No field is longer; what is further behind one is something else. */
    private static final int LONGEST_FIELD = Long.BYTES;

    private static final Map<Class<?>, NavigableMap<Long, String>> FIELDS = new HashMap<>();

    /** A structure in a BAR. */
    private record Structure(int bar, long offset, long length) {

        boolean has(int region, long at) {
            return region == bar && at >= offset && at < offset + length;
        }
    }

    private final ByteBuffer config = ByteBuffer.allocate((int) PciHeader.EXTENDED_SPACE_SIZE)
            .order(ByteOrder.LITTLE_ENDIAN);
    private final Map<Integer, Structure> structures = new TreeMap<>(Map.of(
            VirtioCapability.COMMON_CFG, new Structure(4, 0, CommonConfig.SIZE),
            VirtioCapability.ISR_CFG, new Structure(4, 0x1000, 1),
            VirtioCapability.DEVICE_CFG, new Structure(4, 0x2000, 0x1000),
            VirtioCapability.NOTIFY_CFG, new Structure(4, 0x3000, 0x1000)));
    private long multiplier = Integer.BYTES;
    private @Nullable Structure table;
    private @Nullable Structure pending;

    /** The client has read a part of configuration space. */
    void learn(Access read) {
        if (read.write() || read.region() != PciRegion.CONFIG) {
            return;
        }
        for (int i = 0; i < read.width() && read.offset() + i < config.capacity(); i++) {
            config.put((int) read.offset() + i, read.data().get(i));
        }
        for (int at = first(); at != 0; at = next(at)) {
            learnCapability(at);
        }
    }

    /** The name of the register at a place, with {@code +n} for a byte within it; empty if it has none. */
    String name(int region, long offset) {
        if (region == PciRegion.CONFIG) {
            return configName(offset);
        }
        if (table != null && table.has(region, offset)) {
            long entry = (offset - table.offset()) / MsixEntry.SIZE;
            return "msix[" + entry + "]." + field(MsixEntry.class, (offset - table.offset()) % MsixEntry.SIZE);
        }
        if (pending != null && pending.has(region, offset)) {
            return plus("pending_bits", offset - pending.offset());
        }
        for (Map.Entry<Integer, Structure> structure : structures.entrySet()) {
            if (structure.getValue().has(region, offset)) {
                return structureName(structure.getKey(), offset - structure.getValue().offset());
            }
        }
        return "";
    }

    private String structureName(int type, long offset) {
        return switch (type) {
            case VirtioCapability.COMMON_CFG -> field(CommonConfig.class, offset);
            case VirtioCapability.ISR_CFG -> "isr_status";
            case VirtioCapability.NOTIFY_CFG -> "notify[" + offset / Math.max(1, multiplier) + "]";
            default -> deviceName(offset);
        };
    }

    private String deviceName(long offset) {
        int id = Short.toUnsignedInt(config.getShort((int) PciHeader.DEVICE_ID));
        return switch (id - PciHeader.VIRTIO_DEVICE_BASE) {
            case DeviceType.BLOCK -> "block." + field(BlockConfig.class, offset);
            case DeviceType.IOMMU -> "iommu." + field(IommuConfig.class, offset);
            default -> plus("device_config", offset);
        };
    }

    private String configName(long offset) {
        if (offset >= PciHeader.BAR_0 && offset < PciHeader.BAR_0 + PciHeader.BARS * PciHeader.BAR_SIZE) {
            long bar = (offset - PciHeader.BAR_0) / PciHeader.BAR_SIZE;
            return plus("bar_" + bar, (offset - PciHeader.BAR_0) % PciHeader.BAR_SIZE);
        }
        if (offset >= ROM && offset < ROM + PciHeader.BAR_SIZE) {
            return plus("expansion_rom", offset - ROM);
        }
        if (offset < PciHeader.SIZE) {
            return field(PciHeader.class, offset);
        }
        int found = 0;
        for (int at = first(); at != 0; at = next(at)) {
            found = at <= offset && at > found ? at : found;
        }
        return found == 0 || offset >= PciHeader.SPACE_SIZE ? "" : capabilityName(found, offset - found);
    }

    private String capabilityName(int at, long offset) {
        return switch (u8(at)) {
            case PciCapability.MSIX -> within("msix.", MsixCapability.class, offset, MsixCapability.SIZE);
            case PciCapability.EXPRESS -> within("express.", ExpressCapability.class, offset, ExpressCapability.SIZE);
            case PciCapability.POWER_MANAGEMENT -> within("power.", PowerCapability.class, offset,
                    PowerCapability.SIZE);
            case PciCapability.VENDOR_SPECIFIC -> within(
                    STRUCTURES.getOrDefault(u8(at + (int) VirtioCapability.CFG_TYPE), "vendor") + ".",
                    VirtioCapability.class, offset, u8(at + (int) VirtioCapability.CAP_LEN));
            default -> "";
        };
    }

    private static String within(String prefix, Class<?> layout, long offset, long size) {
        if (offset >= size) {
            return "";
        }
        return prefix + field(offset < 2 ? PciCapability.class : layout, offset);
    }

    private void learnCapability(int at) {
        if (u8(at) == PciCapability.MSIX) {
            int entries = (u16(at + (int) MsixCapability.MESSAGE_CONTROL) & MsixCapability.LAST_ENTRY_MASK) + 1;
            table = placed(at + (int) MsixCapability.TABLE, entries * MsixEntry.SIZE);
            long bytes = (long) Math.ceilDiv(entries, Long.SIZE) * Long.BYTES;
            pending = placed(at + (int) MsixCapability.PENDING_BITS, bytes);
        }
        int type = u8(at + (int) VirtioCapability.CFG_TYPE);
        int length = config.getInt(at + (int) VirtioCapability.LENGTH);
        if (u8(at) == PciCapability.VENDOR_SPECIFIC && structures.containsKey(type) && length != 0) {
            structures.put(type, new Structure(u8(at + (int) VirtioCapability.BAR),
                    config.getInt(at + (int) VirtioCapability.OFFSET), length));
            if (type == VirtioCapability.NOTIFY_CFG) {
                multiplier = config.getInt(at + (int) VirtioCapability.NOTIFY_OFF_MULTIPLIER);
            }
        }
    }

    private Structure placed(int at, long length) {
        int word = config.getInt(at);
        return new Structure(word & MsixCapability.BAR_MASK, word & ~MsixCapability.BAR_MASK, length);
    }

    private int first() {
        return u8((int) PciHeader.CAPABILITIES) & ~3;
    }

    /** Capabilities that lie one behind the other; a list that goes back has ended, so that there is no circle. */
    private int next(int at) {
        int next = u8(at + (int) PciCapability.NEXT) & ~3;
        return next > at && next <= PciHeader.SPACE_SIZE - VirtioCapability.EXTENDED_SIZE ? next : 0;
    }

    private int u8(int at) {
        return Byte.toUnsignedInt(config.get(at));
    }

    private int u16(int at) {
        return Short.toUnsignedInt(config.getShort(at));
    }

    private static String field(Class<?> layout, long offset) {
        Map.Entry<Long, String> field = FIELDS.computeIfAbsent(layout, RegisterNames::fields).floorEntry(offset);
        if (field == null || offset - field.getKey() >= LONGEST_FIELD) {
            return "";
        }
        return plus(field.getValue(), offset - field.getKey());
    }

    private static String plus(String name, long bytes) {
        return bytes == 0 ? name : name + "+" + bytes;
    }

    /** Offsets are the constants of type long. */
    private static NavigableMap<Long, String> fields(Class<?> layout) {
        NavigableMap<Long, String> fields = new TreeMap<>();
        for (Field field : layout.getDeclaredFields()) {
            boolean constant = Modifier.isPublic(field.getModifiers()) && Modifier.isStatic(field.getModifiers());
            if (constant && field.getType() == long.class && !SIZES.contains(field.getName())) {
                try {
                    fields.putIfAbsent(field.getLong(null), field.getName().toLowerCase(Locale.ROOT));
                } catch (IllegalAccessException impossible) {
                    throw new AssertionError(impossible);
                }
            }
        }
        return fields;
    }
}
