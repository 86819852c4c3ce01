// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.grace.Backoff;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;
import org.virtio4j.wire.block.RequestHeader;
import org.virtio4j.wire.block.RequestType;
import org.virtio4j.wire.block.SectorRange;

/**
 * The request that a queue has at work (virtio 1.4, section 5.2.6), from header to status.
 *
 * <p>Header and ranges are copied once and only the copies are looked at. Data goes through one buffer, a piece at a
 * time: in a section between guest memory and buffer, outside any between buffer and file. A piece is a whole number of
 * sectors, so no error leaves half a sector behind.
 */
final class BlockRequest implements QueueWork {

    /** As much as a section may copy. */
    private static final int BUFFER_SIZE = (int) DmaHandle.MAX_BYTES;

    private final DiskFile file;
    private final BlockConfiguration configuration;
    private final BlockCounters.OfQueue counters;
    private final MemorySegment id;

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_SIZE);
    private final MemorySegment data = MemorySegment.ofBuffer(buffer);
    private final MemorySegment header = Arena.ofAuto().allocate(RequestHeader.SIZE, Long.BYTES);
    private final MemorySegment ranges =
            Arena.ofAuto().allocate(BlockSettings.MOST_RANGES * SectorRange.SIZE, Long.BYTES);
    private final MemorySegment status = Arena.ofAuto().allocate(RequestHeader.STATUS_SIZE);

    /** Counts when work begins and when it ends, so it is odd while a request is carried out. */
    private final AtomicLong works = new AtomicLong();

    private BlockOutcome outcome = BlockOutcome.OK;
    private boolean counted;
    private int type;
    private long sector;

    /** Lengths of the data, if it is read from the guest and if it is written there. */
    private long readable;
    private long writable;

    BlockRequest(DiskFile file, BlockConfiguration configuration, BlockCounters.OfQueue counters, MemorySegment id) {
        this.file = file;
        this.configuration = configuration;
        this.counters = counters;
        this.id = id;
    }

    @Override
    public void take(int slot, Chain chain) {
        readable = chain.readableLength() - RequestHeader.SIZE;
        writable = chain.writableLength() - RequestHeader.STATUS_SIZE;
        type = -1;
        counted = false;
        outcome = readHeader(chain);
    }

    @Override
    public boolean work(int count, QueueLoop guest) {
        works.getAndIncrement();
        try {
            if (outcome == BlockOutcome.OK) {
                outcome = execute(guest);
            }
        } catch (IOException failure) {
            counters.fileError(failure);
            outcome = failure instanceof DiskFailureException known ? known.outcome() : BlockOutcome.FILE;
        } finally {
            works.getAndIncrement();
        }
        return outcome != BlockOutcome.ABANDONED;
    }

    /** Waits until no request that was taken before is carried out. Any thread, not from within the work. */
    void awaitWork() {
        long before = works.get();
        for (int i = 0; (before & 1) != 0 && works.get() == before; i++) {
            Backoff.pause(i);
        }
    }

    @Override
    public boolean answer(int slot, Chain chain) {
        if (!counted) {
            // Once, whether the status has to wait or goes nowhere.
            counted = true;
            counters.request(type, outcome);
        }
        if (outcome != BlockOutcome.NO_STATUS) {
            LittleEndian.putU8(status, 0, outcome.status());
            // Behind all data, wherever that ended: if some is missing, the used length does not go up to here.
            DmaResult result = chain.write(writable, status, 0, RequestHeader.STATUS_SIZE);
            if (result == DmaResult.CLOSED) {
                return false;
            }
            if (result != DmaResult.OK) {
                counters.unwritable();
            }
        }
        return true;
    }

    private BlockOutcome readHeader(Chain chain) {
        if (writable < 0) {
            return BlockOutcome.NO_STATUS;
        }
        if (readable < 0) {
            return BlockOutcome.NO_HEADER;
        }
        DmaResult result = chain.read(0, header, 0, RequestHeader.SIZE);
        if (result == DmaResult.OK) {
            type = LittleEndian.i32(header, RequestHeader.TYPE);
            sector = LittleEndian.i64(header, RequestHeader.SECTOR);
        }
        return of(result);
    }

    private BlockOutcome execute(QueueLoop guest) throws IOException {
        return switch (type) {
            case RequestType.IN -> read(guest);
            case RequestType.OUT -> write(guest);
            case RequestType.FLUSH -> flush();
            case RequestType.GET_ID -> identify(guest);
            case RequestType.DISCARD -> discard(guest);
            case RequestType.WRITE_ZEROES -> writeZeroes(guest);
            default -> BlockOutcome.UNKNOWN_TYPE;
        };
    }

    private BlockOutcome read(QueueLoop guest) throws IOException {
        BlockOutcome checked = checkSectors(writable);
        if (checked != BlockOutcome.OK) {
            return checked;
        }
        for (long done = 0; done < writable; done += BUFFER_SIZE) {
            int piece = (int) Math.min(BUFFER_SIZE, writable - done);
            file.read(buffer.limit(piece), sector * BlockConfig.SECTOR_SIZE + done);
            DmaResult result = guest.write(0, done, data, 0, piece);
            if (result != DmaResult.OK) {
                return of(result);
            }
        }
        counters.read(writable);
        return BlockOutcome.OK;
    }

    private BlockOutcome write(QueueLoop guest) throws IOException {
        BlockOutcome checked = file.readOnly() ? BlockOutcome.READ_ONLY : checkSectors(readable);
        if (checked != BlockOutcome.OK) {
            return checked;
        }
        for (long done = 0; done < readable; done += BUFFER_SIZE) {
            int piece = (int) Math.min(BUFFER_SIZE, readable - done);
            DmaResult result = guest.read(0, RequestHeader.SIZE + done, data, 0, piece);
            if (result != DmaResult.OK) {
                return of(result);
            }
            file.write(buffer.limit(piece), sector * BlockConfig.SECTOR_SIZE + done);
        }
        counters.written(readable);
        return stable();
    }

    private BlockOutcome flush() throws IOException {
        if (!file.readOnly()) {
            file.force();
        }
        return BlockOutcome.OK;
    }

    private BlockOutcome identify(QueueLoop guest) {
        return writable == RequestHeader.ID_SIZE ? of(guest.write(0, 0, id, 0, RequestHeader.ID_SIZE))
                : BlockOutcome.BAD_LENGTH;
    }

    /** Gives storage back where the host can; section 5.2.6.2 does not ask for it. */
    private BlockOutcome discard(QueueLoop guest) throws IOException {
        BlockOutcome checked = readRanges(guest, BlockFeature.DISCARD, 0, BlockSettings.MOST_DISCARD_SECTORS);
        if (checked != BlockOutcome.OK) {
            return checked;
        }
        for (long at = 0; at < readable; at += SectorRange.SIZE) {
            if (!guest.wanted()) {
                return BlockOutcome.ABANDONED;
            }
            giveBack(at);
        }
        return BlockOutcome.OK;
    }

    private BlockOutcome writeZeroes(QueueLoop guest) throws IOException {
        BlockOutcome checked = readRanges(guest, BlockFeature.WRITE_ZEROES, SectorRange.FLAG_UNMAP,
                BlockSettings.MOST_ZEROES_SECTORS);
        if (checked != BlockOutcome.OK) {
            return checked;
        }
        data.fill((byte) 0);
        for (long at = 0; at < readable; at += SectorRange.SIZE) {
            boolean unmap = (LittleEndian.i32(ranges, at + SectorRange.FLAGS) & SectorRange.FLAG_UNMAP) != 0;
            if (!(unmap && giveBack(at)) && !fillWithZeros(guest, at)) {
                return BlockOutcome.ABANDONED;
            }
        }
        return stable();
    }

    /** False if the driver does not wait for the rest any more. */
    private boolean fillWithZeros(QueueLoop guest, long range) throws IOException {
        long end = (rangeStart(range) + rangeLength(range)) * BlockConfig.SECTOR_SIZE;
        for (long to = rangeStart(range) * BlockConfig.SECTOR_SIZE; to < end; to += BUFFER_SIZE) {
            if (!guest.wanted()) {
                return false;
            }
            file.write(buffer.limit((int) Math.min(BUFFER_SIZE, end - to)), to);
        }
        return true;
    }

    /** Whether the range reads as zeros now, because its storage was given back. */
    private boolean giveBack(long range) throws IOException {
        return rangeLength(range) != 0 && file.giveBack(rangeStart(range) * BlockConfig.SECTOR_SIZE,
                rangeLength(range) * BlockConfig.SECTOR_SIZE);
    }

    /** Copies the ranges of a DISCARD or WRITE_ZEROES, and checks them all before the first is touched. */
    private BlockOutcome readRanges(QueueLoop guest, int feature, int knownFlags, int mostSectors) {
        if (!configuration.negotiated(feature)) {
            return BlockOutcome.UNKNOWN_TYPE;
        }
        BlockOutcome flags = readFlags(guest, knownFlags);
        if (flags != BlockOutcome.OK) {
            return flags;
        }
        if (readable == 0 || readable % SectorRange.SIZE != 0) {
            return BlockOutcome.BAD_LENGTH;
        }
        return readable > ranges.byteSize() ? BlockOutcome.TOO_MANY_RANGES : checkRanges(mostSectors);
    }

    /**
     * Copies the ranges, and looks at their flags before anything else, because section 5.2.6.2 wants UNSUPP before any
     * other error. So the flags of more ranges than are allowed are looked at too, a bufferful at a time; half a range
     * at the end has no flags.
     */
    private BlockOutcome readFlags(QueueLoop guest, int known) {
        long whole = readable - readable % SectorRange.SIZE;
        for (long done = 0; done < whole; done += ranges.byteSize()) {
            long piece = Math.min(ranges.byteSize(), whole - done);
            DmaResult result = guest.read(0, RequestHeader.SIZE + done, ranges, 0, piece);
            if (result != DmaResult.OK) {
                return of(result);
            }
            if (hasOtherFlags(piece, known)) {
                return BlockOutcome.UNKNOWN_FLAG;
            }
        }
        return BlockOutcome.OK;
    }

    private boolean hasOtherFlags(long bytes, int known) {
        for (long at = 0; at < bytes; at += SectorRange.SIZE) {
            if ((LittleEndian.i32(ranges, at + SectorRange.FLAGS) & ~known) != 0) {
                return true;
            }
        }
        return false;
    }

    private BlockOutcome checkRanges(int mostSectors) {
        for (long at = 0; at < readable; at += SectorRange.SIZE) {
            if (rangeLength(at) > mostSectors) {
                return BlockOutcome.RANGE_TOO_LONG;
            }
            if (!onDisk(rangeStart(at), rangeLength(at))) {
                return BlockOutcome.OUT_OF_RANGE;
            }
        }
        return BlockOutcome.OK;
    }

    private BlockOutcome checkSectors(long bytes) {
        if (bytes % BlockConfig.SECTOR_SIZE != 0) {
            return BlockOutcome.BAD_LENGTH;
        }
        return onDisk(sector, bytes / BlockConfig.SECTOR_SIZE) ? BlockOutcome.OK : BlockOutcome.OUT_OF_RANGE;
    }

    private boolean onDisk(long first, long count) {
        long capacity = configuration.capacity();
        return first >= 0 && first <= capacity && count <= capacity - first;
    }

    /** Ends a write as the cache mode asks for. */
    private BlockOutcome stable() throws IOException {
        if (configuration.writeThrough()) {
            file.force();
        }
        return BlockOutcome.OK;
    }

    private long rangeStart(long at) {
        return LittleEndian.i64(ranges, at + SectorRange.SECTOR);
    }

    private long rangeLength(long at) {
        return LittleEndian.u32(ranges, at + SectorRange.NUM_SECTORS);
    }

    private static BlockOutcome of(DmaResult result) {
        return switch (result) {
            case OK -> BlockOutcome.OK;
            case CLOSED -> BlockOutcome.ABANDONED;
            default -> BlockOutcome.MEMORY;
        };
    }
}
