// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.List;
import org.virtio4j.driver.iommu.RequestResult;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.wire.iommu.ProbeProperty;
import org.virtio4j.wire.iommu.ReservedMemoryProperty;

/**
 * The properties that a PROBE of an endpoint is to be answered with: its reserved regions in the order of the trace,
 * and nothing but zeros behind them.
 */
final class ProbeProperties {

    private final List<TraceHeader.Region> regions;
    private final long[] heads;
    private final long[] starts;
    private final long[] ends;

    ProbeProperties(List<TraceHeader.Region> regions) {
        this.regions = regions;
        heads = regions.stream().mapToLong(ProbeProperties::head).toArray();
        starts = regions.stream().mapToLong(TraceHeader.Region::start).toArray();
        ends = regions.stream().mapToLong(TraceHeader.Region::end).toArray();
    }

    /** Whether the properties of an answer, so many bytes, are these. */
    boolean match(RequestResult result, long probeSize) {
        long at = 0;
        for (int i = 0; i < heads.length; i++) {
            boolean same = at + ReservedMemoryProperty.SIZE <= probeSize
                    && result.i64(at) == heads[i]
                    && result.i64(at + ReservedMemoryProperty.START) == starts[i]
                    && result.i64(at + ReservedMemoryProperty.END) == ends[i];
            if (!same) {
                return false;
            }
            at += ReservedMemoryProperty.SIZE;
        }
        while (at < probeSize && result.u8(at) == 0) {
            at++;
        }
        return at >= probeSize;
    }

    /** These properties as bytes. */
    String describe() {
        return regions.isEmpty() ? "no properties" : "properties " + regions;
    }

    /** The properties of an answer as bytes, as far as they are not zero. */
    static String describe(RequestResult result, long probeSize) {
        long end = probeSize;
        while (end > 0 && result.u8(end - 1) == 0) {
            end--;
        }
        StringBuilder text = new StringBuilder("properties ");
        for (long at = 0; at < Math.min(end, 2 * ReservedMemoryProperty.SIZE); at++) {
            text.append(Character.forDigit(result.u8(at) >> 4, 16)).append(Character.forDigit(result.u8(at) & 15, 16));
        }
        return end == 0 ? "no properties" : text.toString();
    }

    /** The first 8 bytes: type, length, subtype and zeros. */
    private static long head(TraceHeader.Region region) {
        long subtype = switch (region.kind()) {
            case RESERVED -> ReservedMemoryProperty.SUBTYPE_RESERVED;
            case MSI -> ReservedMemoryProperty.SUBTYPE_MSI;
        };
        return (long) ProbeProperty.TYPE_RESV_MEM << (Byte.SIZE * ProbeProperty.TYPE)
                | ReservedMemoryProperty.LENGTH << (Byte.SIZE * ProbeProperty.LENGTH)
                | subtype << (Byte.SIZE * ReservedMemoryProperty.SUBTYPE);
    }
}
