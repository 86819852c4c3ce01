// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.device.Features;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/**
 * The device configuration (virtio 1.4, section 5.2.4), and what was negotiated about it. Capacity and cache mode
 * change while requests look at them, each a word of its own; the rest is fixed.
 */
final class BlockConfiguration {

    /** In one object, so that no thread sees a new length with an old number. */
    private record Capacity(long sectors, int version) {
    }

    /** The same for the cache mode, with how often it has changed other than by the driver's writing it. */
    private record CacheMode(boolean writeback, int version) {
    }

    private final MemorySegment fixed = Arena.ofAuto().allocate(BlockConfig.SIZE, Long.BYTES);
    private volatile Capacity capacity = new Capacity(0, 0);
    private volatile CacheMode cacheMode = new CacheMode(false, 0);
    private volatile Features negotiated = Features.NONE;

    BlockConfiguration(BlockSettings settings) {
        Features offered = settings.features();
        int sectorsPerBlock = settings.blockSize() / BlockConfig.SECTOR_SIZE;
        if (offered.has(BlockFeature.SEG_MAX)) {
            // A chain has a header and a status besides its data, and no more descriptors than its queue.
            LittleEndian.putI32(fixed, BlockConfig.SEG_MAX, settings.queueSize() - BlockSettings.FRAME);
        }
        if (offered.has(BlockFeature.BLK_SIZE)) {
            LittleEndian.putI32(fixed, BlockConfig.BLK_SIZE, settings.blockSize());
        }
        if (offered.has(BlockFeature.MQ)) {
            LittleEndian.putU16(fixed, BlockConfig.NUM_QUEUES, settings.queueCount());
        }
        if (offered.has(BlockFeature.DISCARD)) {
            LittleEndian.putI32(fixed, BlockConfig.MAX_DISCARD_SECTORS, BlockSettings.MOST_DISCARD_SECTORS);
            LittleEndian.putI32(fixed, BlockConfig.MAX_DISCARD_SEG, BlockSettings.MOST_RANGES);
            LittleEndian.putI32(fixed, BlockConfig.DISCARD_SECTOR_ALIGNMENT, sectorsPerBlock);
        }
        if (offered.has(BlockFeature.WRITE_ZEROES)) {
            LittleEndian.putI32(fixed, BlockConfig.MAX_WRITE_ZEROES_SECTORS, BlockSettings.MOST_ZEROES_SECTORS);
            LittleEndian.putI32(fixed, BlockConfig.MAX_WRITE_ZEROES_SEG, BlockSettings.MOST_RANGES);
        }
    }

    /** Section 5.2.6.2: says so where WRITE_ZEROES may give storage back, before a driver looks. */
    void writeZeroesMayUnmap() {
        LittleEndian.putU8(fixed, BlockConfig.WRITE_ZEROES_MAY_UNMAP, 1);
    }

    /** The length of the disk in sectors. */
    long capacity() {
        return capacity.sectors;
    }

    /** One thread at a time. */
    void capacity(long sectors) {
        Capacity before = capacity;
        if (sectors != before.sectors) {
            capacity = new Capacity(sectors, before.version + 1);
        }
    }

    /** How often what the driver sees has changed, without its own writes; both numbers only grow. */
    int version() {
        return capacity.version + cacheMode.version;
    }

    /** Section 5.2.5.2: a driver that cannot flush gets a writethrough cache. */
    void negotiated(Features features) {
        negotiated = features;
        CacheMode before = cacheMode;
        boolean writeback = features.has(BlockFeature.FLUSH);
        if (writeback != before.writeback) {
            cacheMode = new CacheMode(writeback, before.version + 1);
        }
    }

    /**
     * Clears what was negotiated, but not the cache mode: that of an earlier driver is not written before FEATURES_OK
     * says what the new driver negotiated.
     */
    void reset() {
        negotiated = Features.NONE;
    }

    boolean negotiated(int bit) {
        return negotiated.has(bit);
    }

    /** Section 5.2.6.2: whether a write must be stable before it completes. */
    boolean writeThrough() {
        return !cacheMode.writeback;
    }

    long read(int offset, int width) {
        long sectors = capacity();
        int mode = cacheMode.writeback ? BlockConfig.WRITE_BACK : BlockConfig.WRITE_THROUGH;
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | byteAt(offset + i, sectors, mode);
        }
        return value;
    }

    /** Only the cache mode can be written, and only its two values count. */
    void write(int offset, int width, long value) {
        if (!negotiated(BlockFeature.CONFIG_WCE) || offset > BlockConfig.WRITEBACK
                || offset + width <= BlockConfig.WRITEBACK) {
            return;
        }
        long written = (value >>> ((BlockConfig.WRITEBACK - offset) * Byte.SIZE)) & 0xff;
        if (written <= BlockConfig.WRITE_BACK) {
            cacheMode = new CacheMode(written == BlockConfig.WRITE_BACK, cacheMode.version);
        }
    }

    private long byteAt(int offset, long sectors, int mode) {
        if (offset < BlockConfig.CAPACITY + Long.BYTES) {
            return (sectors >>> ((offset - BlockConfig.CAPACITY) * Byte.SIZE)) & 0xff;
        }
        return offset == BlockConfig.WRITEBACK ? mode : LittleEndian.u8(fixed, offset);
    }
}
