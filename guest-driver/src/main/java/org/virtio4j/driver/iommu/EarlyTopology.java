// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.TopologyConfig;

/**
 * The topology that a virtio-iommu describes in its configuration space ({@link TopologyConfig}), read as a driver does
 * that runs before all others: firmware, or a kernel that has not probed any device yet. The device is reset
 * afterwards, whatever was found, so that its real driver finds it untouched.
 *
 * <p>The device is not trusted. No number that it shows makes this class loop or allocate without bound, or read
 * outside its configuration space. Immutable.
 */
public final class EarlyTopology {

    /** What was found. Only {@link #FOUND} comes with items. */
    public enum Outcome {
        /** There is a description; it may be empty. */
        FOUND,
        /** The device is something else, and was not touched. */
        NOT_AN_IOMMU,
        /** The status did not read 0 after a reset, however often it was read. */
        RESET_NOT_DONE,
        /** The device does not offer {@link IommuFeature#TOPOLOGY}. */
        NOT_OFFERED,
        /** The device does not work with the features that this driver accepts. */
        FEATURES_REFUSED,
        /** The bit is {@link IommuFeature#BYPASS_CONFIG}: the configuration space is that of the standard. */
        BYPASS_CONFIG,
        /** An item is too short to be one, or the items are not aligned to 4 bytes. */
        BAD_LAYOUT,
        /** Items lie outside the configuration space. */
        OUT_OF_BOUNDS,
        /** There are more than {@link #MOST_ITEMS} items. */
        TOO_MANY_ITEMS,
        /** The configuration changed whenever it was read. */
        CONFIG_UNSTABLE
    }

    /** The most items that are read. */
    public static final int MOST_ITEMS = 4_096;

    /** A device that changes its configuration all the time must not keep firmware busy for long. */
    private static final int MOST_TRIES = 16;

    /** The last one is accepted where it is offered because a device may insist on it; this driver does no DMA. */
    private static final FeatureSet WANTED =
            FeatureSet.of(IommuFeature.TOPOLOGY, FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM);

    private final Outcome outcome;
    private final List<TopologyItem> items;
    private final int skipped;

    private EarlyTopology(Outcome outcome, List<TopologyItem> items, int skipped) {
        this.outcome = outcome;
        this.items = List.copyOf(items);
        this.skipped = skipped;
    }

    /**
     * Reads the description of a device, and resets the device.
     *
     * @param transport the way to the device, which no other driver uses meanwhile
     * @return what was found
     */
    public static EarlyTopology read(DriverTransport transport) {
        if (transport.deviceType() != DeviceType.IOMMU) {
            return without(Outcome.NOT_AN_IOMMU);
        }
        VirtioDriver driver = new VirtioDriver(transport, WANTED);
        EarlyTopology found;
        StartResult reset;
        try {
            found = driver.reset() == StartResult.OK ? negotiateAndRead(driver) : without(Outcome.RESET_NOT_DONE);
        } finally {
            reset = driver.reset();
        }
        return reset == StartResult.OK ? found : without(Outcome.RESET_NOT_DONE);
    }

    /**
     * What was found.
     *
     * @return {@link Outcome#FOUND}, or why there are no items
     */
    public Outcome outcome() {
        return outcome;
    }

    /**
     * The items whose type this driver knows, in the order of the device.
     *
     * @return an immutable list; empty unless the outcome is {@link Outcome#FOUND}
     */
    public List<TopologyItem> items() {
        return items;
    }

    /**
     * How many items were passed over because their type is not known, or because they contradict themselves: a range
     * that ends before it begins, or whose endpoints need more than 32 bits.
     *
     * @return a count
     */
    public int skipped() {
        return skipped;
    }

    /**
     * Which endpoint a PCI function is. If several items name it, the first counts.
     *
     * @param segment number of its segment
     * @param bdf     bus, device and function, 0 to 0xffff
     * @return the endpoint's unsigned number; empty if this IOMMU does not manage the function
     */
    public OptionalInt endpoint(int segment, int bdf) {
        for (TopologyItem item : items) {
            if (item instanceof TopologyItem.PciFunctions range && range.has(segment, bdf)) {
                return OptionalInt.of(range.endpoint(bdf));
            }
        }
        return OptionalInt.empty();
    }

    /**
     * Which endpoint a device outside PCI is. If several items name it, the first counts.
     *
     * @param address guest-physical address of the first byte of its registers
     * @return the endpoint's unsigned number; empty if this IOMMU does not manage the device
     */
    public OptionalInt endpoint(long address) {
        for (TopologyItem item : items) {
            if (item instanceof TopologyItem.PlatformDevice device && device.address() == address) {
                return OptionalInt.of(device.endpoint());
            }
        }
        return OptionalInt.empty();
    }

    /** The steps of virtio 1.4, section 3.1.1, up to the configuration space. */
    private static EarlyTopology negotiateAndRead(VirtioDriver driver) {
        driver.acknowledge();
        driver.announceDriver();
        FeatureSet offered = FeatureSet.offeredBy(driver.transport());
        if (!offered.has(IommuFeature.TOPOLOGY)) {
            return without(Outcome.NOT_OFFERED);
        }
        driver.accept(offered.and(WANTED));
        // A device of before virtio 1.0 knows no FEATURES_OK (section 3.1.2).
        if (offered.has(FeatureBit.VERSION_1) && driver.featuresOk() != StartResult.OK) {
            return without(Outcome.FEATURES_REFUSED);
        }
        EarlyTopology[] last = {without(Outcome.CONFIG_UNSTABLE)};
        boolean stable = driver.transport().readConsistently(MOST_TRIES, () -> last[0] = readOnce(driver.transport()));
        return stable ? last[0] : without(Outcome.CONFIG_UNSTABLE);
    }

    private static EarlyTopology readOnce(DriverTransport transport) {
        long size = transport.configSize();
        if (size < TopologyConfig.ITEMS) {
            return without(Outcome.BYPASS_CONFIG);
        }
        long offset = transport.readConfig(TopologyConfig.OFFSET, Integer.BYTES);
        long count = transport.readConfig(TopologyConfig.NUM_ITEMS, Integer.BYTES);
        long length = transport.readConfig(TopologyConfig.ITEM_LENGTH, Integer.BYTES);
        Outcome outcome = check(size, offset, count, length);
        return outcome == Outcome.FOUND ? readItems(transport, offset, count, length) : without(outcome);
    }

    private static Outcome check(long size, long offset, long count, long length) {
        if (offset <= 1) {
            // A bypass byte, with the reserved bytes behind it.
            return Outcome.BYPASS_CONFIG;
        }
        boolean tooShort = count > 0 && length < TopologyConfig.ITEM_SIZE;
        if (tooShort || offset % Integer.BYTES != 0 || length % Integer.BYTES != 0) {
            return Outcome.BAD_LAYOUT;
        }
        // Divided, not multiplied: the product of two hostile numbers does not fit into 64 bits.
        boolean inside = offset >= TopologyConfig.ITEMS && offset <= size
                && (count == 0 || count <= (size - offset) / length);
        if (!inside) {
            return Outcome.OUT_OF_BOUNDS;
        }
        return count > MOST_ITEMS ? Outcome.TOO_MANY_ITEMS : Outcome.FOUND;
    }

    private static EarlyTopology readItems(DriverTransport transport, long offset, long count, long length) {
        List<TopologyItem> items = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            TopologyItem item = TopologyItemReader.read(transport, offset + i * length);
            if (item != null) {
                items.add(item);
            }
        }
        return new EarlyTopology(Outcome.FOUND, items, (int) count - items.size());
    }

    private static EarlyTopology without(Outcome outcome) {
        return new EarlyTopology(outcome, List.of(), 0);
    }
}
