// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.request.RequestLimits;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.iommu.IommuConfig;

/**
 * The device configuration (virtio 1.4, section 5.13.4): all of it fixed but the bypass byte. Where a topology is
 * described ({@link org.virtio4j.wire.iommu.TopologyConfig}), there is no such byte, and nothing can be written.
 */
final class ConfigSpace {

    private final MemorySegment fixed;
    private final boolean hasBypassByte;

    ConfigSpace(RequestLimits limits, @Nullable TopologyBytes topology) {
        hasBypassByte = topology == null;
        fixed = Arena.ofAuto().allocate(size(topology), Long.BYTES);
        LittleEndian.putI64(fixed, IommuConfig.PAGE_SIZE_MASK, limits.pageSizeMask());
        LittleEndian.putI64(fixed, IommuConfig.INPUT_START, limits.inputStart());
        LittleEndian.putI64(fixed, IommuConfig.INPUT_END, limits.inputEnd());
        LittleEndian.putI32(fixed, IommuConfig.DOMAIN_START, limits.domainStart());
        LittleEndian.putI32(fixed, IommuConfig.DOMAIN_END, limits.domainEnd());
        LittleEndian.putI32(fixed, IommuConfig.PROBE_SIZE, limits.probeSize());
        if (topology != null) {
            topology.putInto(fixed);
        }
    }

    /** Bytes of the configuration space. */
    static int size(@Nullable TopologyBytes topology) {
        return topology == null ? (int) IommuConfig.SIZE : topology.configSize();
    }

    long read(int offset, int width, int bypass) {
        long value = switch (width) {
            case 1 -> LittleEndian.u8(fixed, offset);
            case 2 -> LittleEndian.u16(fixed, offset);
            case 4 -> LittleEndian.u32(fixed, offset);
            default -> LittleEndian.i64(fixed, offset);
        };
        return coversBypass(offset, width) ? value | (long) bypass << shift(offset) : value;
    }

    /** Whether an access touches the bypass byte, the only one that can be written. */
    boolean coversBypass(int offset, int width) {
        return hasBypassByte && offset <= IommuConfig.BYPASS && IommuConfig.BYPASS < offset + width;
    }

    /** The bypass byte of a value that is written at an offset. */
    static int bypassOf(int offset, long value) {
        return (int) (value >>> shift(offset)) & 0xff;
    }

    private static int shift(int offset) {
        return (int) (IommuConfig.BYPASS - offset) * Byte.SIZE;
    }
}
