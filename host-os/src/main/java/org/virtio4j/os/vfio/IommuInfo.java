// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.vfio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What a container says of its IOMMU ({@code struct vfio_iommu_type1_info} with its chain of capabilities).
 *
 * @param pageSizes         a bit for each size of pages, in bytes; 4096 where the system does not say
 * @param ranges            the addresses that can be mapped, in ascending order; empty where the system does not say
 * @param mappingsAvailable how many more mappings there may be; -1 where the system does not say
 */
public record IommuInfo(long pageSizes, List<Range> ranges, long mappingsAvailable) {

    /** Bytes of the structure without capabilities. */
    static final int BYTES = 24;

    private static final int PAGE_BYTES = 4096;

    private static final long FLAGS = 4;
    private static final int FLAG_PAGE_SIZES = 1;
    private static final int FLAG_CAPABILITIES = 2;
    private static final long PAGE_SIZES = 8;
    private static final long FIRST_CAPABILITY = 16;

    // struct vfio_info_cap_header: id, version, and where the next one begins, from the start of all.
    private static final long NEXT = 4;
    private static final int HEADER_BYTES = 8;

    private static final int IOVA_RANGE = 1;
    private static final long RANGE_COUNT = 8;
    private static final long RANGES = 16;
    private static final long RANGE_BYTES = 16;
    private static final int DMA_AVAILABLE = 3;
    private static final long AVAILABLE = 8;

    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;

    /**
     * Addresses that can be mapped.
     *
     * @param start first one
     * @param end   last one, inclusive
     */
    public record Range(long start, long end) {
    }

    /** Keeps a list of its own. */
    public IommuInfo {
        ranges = List.copyOf(ranges);
    }

    /**
     * Reads the structure. A chain that leads out of it, or back, ends there.
     *
     * @param info what the system has filled in, in the byte order of the host
     * @return what is known of it
     */
    public static IommuInfo of(MemorySegment info) {
        int flags = info.get(U32, FLAGS);
        long pageSizes = (flags & FLAG_PAGE_SIZES) == 0 ? PAGE_BYTES : info.get(U64, PAGE_SIZES);
        List<Range> ranges = new ArrayList<>();
        long available = -1;
        long at = (flags & FLAG_CAPABILITIES) == 0 ? 0 : capability(info, FIRST_CAPABILITY, 0);
        while (at != 0) {
            switch (info.get(U16, at)) {
                case IOVA_RANGE -> readRanges(info, at, ranges);
                case DMA_AVAILABLE -> available = Integer.toUnsignedLong(info.get(U32, at + AVAILABLE));
                default -> {
                    // Of migration, or younger than this code.
                }
            }
            at = capability(info, at + NEXT, at);
        }
        return new IommuInfo(pageSizes, ranges, available);
    }

    /** Where a capability begins; 0 if there is none, or none behind the last one that lies in the structure. */
    private static long capability(MemorySegment info, long pointer, long last) {
        if (pointer + Integer.BYTES > info.byteSize()) {
            return 0;
        }
        long at = Integer.toUnsignedLong(info.get(U32, pointer));
        return at > last && at + HEADER_BYTES + Integer.BYTES <= info.byteSize() ? at : 0;
    }

    private static void readRanges(MemorySegment info, long at, List<Range> ranges) {
        long count = Integer.toUnsignedLong(info.get(U32, at + RANGE_COUNT));
        for (long i = 0; i < count && at + RANGES + (i + 1) * RANGE_BYTES <= info.byteSize(); i++) {
            long range = at + RANGES + i * RANGE_BYTES;
            ranges.add(new Range(info.get(U64, range), info.get(U64, range + Long.BYTES)));
        }
    }
}
