// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.time.Duration;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.request.RequestLimits;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.VirtqueueLimit;
import org.virtio4j.wire.iommu.ReservedMemoryProperty;
import org.virtio4j.wire.iommu.TopologyConfig;

/** Refuses settings that cannot work, each with an {@link IllegalArgumentException} that says what to change. */
final class SettingChecks {

    /**
     * A driver maps whole pages of its processor, so a larger granule is of no use to it. The largest page of a Linux
     * with this driver is that of arm64.
     */
    private static final long LARGEST_GRANULE = 1L << 16;

    /** One descriptor that the device reads, and one that it writes. */
    private static final int REQUEST_DESCRIPTORS = 2;

    /** What is left of the 4,096 bytes of configuration that a PCI function shows at most. */
    private static final int MOST_TOPOLOGY = 4_096 - (int) TopologyConfig.ITEMS;

    private static final int MOST_PROPERTIES = 65_536;
    private static final long MOST_MAPPINGS = 1L << 30;
    private static final int MOST_ENDPOINTS = 1 << 16;

    private SettingChecks() {
    }

    static void pageSizeMask(long mask, long inputStart, long inputEnd) {
        long granule = Long.lowestOneBit(mask);
        if (mask == 0 || Long.compareUnsigned(granule, GuestMemory.PAGE_SIZE) < 0) {
            throw new IllegalArgumentException("mask=0x" + Long.toHexString(mask)
                    + ", but its lowest bit is the granule and must be " + GuestMemory.PAGE_SIZE + " at least");
        }
        if (Long.compareUnsigned(granule, LARGEST_GRANULE) > 0) {
            throw new IllegalArgumentException("mask=0x" + Long.toHexString(mask) + ", but its lowest bit is the"
                    + " granule, and no guest has pages larger than " + LARGEST_GRANULE + " bytes; add its page size");
        }
        if (UsableRanges.of(inputStart, inputEnd, granule, ReservedRegions.NONE).isEmpty()) {
            throw new IllegalArgumentException("mask=0x" + Long.toHexString(mask) + ", but the input range "
                    + range(inputStart, inputEnd) + " has no page of " + granule + " bytes; widen the range, or add a"
                    + " smaller page size");
        }
    }

    static void inputRange(long start, long end, long granule) {
        if (Long.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " lies behind end=0x"
                    + Long.toHexString(end) + "; the end is inclusive");
        }
        if (UsableRanges.of(start, end, granule, ReservedRegions.NONE).isEmpty()) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + ", end=0x"
                    + Long.toHexString(end) + " have no page of " + granule + " bytes between them, and smaller ones"
                    + " cannot be mapped; widen the range");
        }
    }

    static void domainRange(int start, int end) {
        if (Integer.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=" + Integer.toUnsignedString(start) + " is larger than end="
                    + Integer.toUnsignedString(end) + "; the end is inclusive");
        }
    }

    static void probeSize(int bytes) {
        if (bytes < 0 || bytes > MOST_PROPERTIES) {
            throw new IllegalArgumentException("probeSize=" + bytes + ", but 0 to " + MOST_PROPERTIES
                    + " bytes can be answered");
        }
    }

    static void queueSizes(int requests, int events) {
        if (!isQueueSize(requests, REQUEST_DESCRIPTORS)) {
            throw new IllegalArgumentException("requests=" + requests + ", but a power of two from 2 to "
                    + VirtqueueLimit.MAX_SIZE + " is needed: a request takes two descriptors");
        }
        if (!isQueueSize(events, 1)) {
            throw new IllegalArgumentException("events=" + events + ", but a power of two from 1 to "
                    + VirtqueueLimit.MAX_SIZE + " is needed");
        }
    }

    static void maxMappings(long mappings) {
        if (mappings < 1 || mappings > MOST_MAPPINGS) {
            throw new IllegalArgumentException("maxMappings=" + mappings + ", but 1 to 2^30 can be kept");
        }
    }

    static void maxEndpoints(int endpoints) {
        if (endpoints < 1 || endpoints > MOST_ENDPOINTS) {
            throw new IllegalArgumentException("maxEndpoints=" + endpoints + ", but 1 to 65,536 can be kept");
        }
    }

    static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + ", but a driver needs at least 1");
        }
    }

    /** No id may be twice in a group, nor in another one. */
    static void group(int[] other, int[] ids) {
        IntStream both = IntStream.concat(IntStream.of(other).distinct(), IntStream.of(ids));
        if (both.distinct().count() != other.length + (long) ids.length) {
            throw new IllegalArgumentException("ids=" + words(ids) + ", but one of them is in a group already: "
                    + words(other.length == 0 ? ids : other));
        }
    }

    private static String words(int[] ids) {
        return IntStream.of(ids).mapToObj(id -> "0x" + Integer.toHexString(id)).toList().toString();
    }

    static void mirrored(MappingListener listener, long granule) {
        long smallest = Long.lowestOneBit(listener.pageSizeMask());
        if (smallest == 0 || Long.compareUnsigned(smallest, granule) > 0) {
            throw new IllegalArgumentException("granule=" + granule + ", but a mapping listener has pages of "
                    + Long.toUnsignedString(smallest) + " bytes at least; give the builder a pageSizeMask whose lowest"
                    + " bit is that");
        }
    }

    static void linger(Duration time) {
        if (time.isNegative() || time.compareTo(Duration.ofSeconds(1)) > 0) {
            throw new IllegalArgumentException("linger=" + time + ", but it must be zero to one second");
        }
    }

    /** The regions of an endpoint; they count as properties if drivers can ask for those. */
    static void regions(ReservedRegions regions, RequestLimits limits, boolean probed) {
        long needed = regions.list().size() * ReservedMemoryProperty.SIZE;
        if (probed && needed > limits.probeSize()) {
            throw new IllegalArgumentException("probeSize=" + limits.probeSize()
                    + ", but the properties of an endpoint need " + needed + " bytes");
        }
        if (UsableRanges.of(limits, regions).isEmpty()) {
            throw new IllegalArgumentException("regions=" + words(regions) + " leave no page of " + limits.granule()
                    + " bytes in the input range " + range(limits.inputStart(), limits.inputEnd())
                    + "; widen the range, or reserve less");
        }
    }

    static void topology(int itemLength, byte[] items) {
        if (itemLength < Short.BYTES) {
            throw new IllegalArgumentException("itemLength=" + itemLength + ", but each item begins with a type of "
                    + Short.BYTES + " bytes");
        }
        if (items.length % itemLength != 0) {
            throw new IllegalArgumentException("items=" + items.length + " bytes are not whole items of itemLength="
                    + itemLength + "; fill each item up to that length");
        }
        if (items.length > MOST_TOPOLOGY) {
            throw new IllegalArgumentException("items=" + items.length + " bytes, but a PCI function has room for "
                    + MOST_TOPOLOGY + " bytes of them; describe several neighbours by one range");
        }
    }

    private static boolean isQueueSize(int entries, int least) {
        return Integer.bitCount(entries) == 1 && entries >= least && entries <= VirtqueueLimit.MAX_SIZE;
    }

    private static String words(ReservedRegions regions) {
        return regions.list().stream().map(region -> region.kind().name().toLowerCase(Locale.ROOT) + " "
                + range(region.start(), region.end())).collect(Collectors.joining(", "));
    }

    private static String range(long start, long end) {
        return "0x" + Long.toHexString(start) + " to 0x" + Long.toHexString(end);
    }
}
