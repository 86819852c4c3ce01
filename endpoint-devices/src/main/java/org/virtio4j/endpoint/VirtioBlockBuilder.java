// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.Supplier;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.virtio4j.device.Features;
import org.virtio4j.endpoint.BlockSettings.Serving;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;
import org.virtio4j.wire.block.RequestHeader;

/**
 * Sets up a {@link VirtioBlock}. What is not said has a value that a Linux guest works well with. Every method throws
 * {@link IllegalArgumentException} at once for a value that cannot work.
 */
public final class VirtioBlockBuilder {

    private static final Features ALL = Features.of(BlockFeature.SEG_MAX, BlockFeature.BLK_SIZE, BlockFeature.FLUSH,
            BlockFeature.CONFIG_WCE, BlockFeature.DISCARD, BlockFeature.WRITE_ZEROES);

    private static final int SPINS = 100;

    /** A kick wakes a thread that parks, but does not call back one that has given its processor away. */
    private static final int YIELDS = 0;

    /** A kick ends it, so parking for a short time first would only wake a thread for nothing. */
    private static final long PARK_NANOS = 100_000_000;

    private static final int MOST_QUEUES = 1024;
    private static final int LARGEST_BLOCK = 65_536;

    /** How the builder comes to its file, once it knows how it is to be opened. */
    interface FileSource {
        DiskFile file(boolean readOnly);
    }

    private final FileSource source;
    private Features features = ALL;
    private boolean readOnly;
    private int queueCount = 1;
    private int queueSize = 256;
    private int blockSize = BlockConfig.SECTOR_SIZE;
    private String id = "";
    private DiskLock lock = DiskLock.AUTO;
    private Serving serving = Serving.WORKERS;
    private Supplier<? extends IdleStrategy> idleStrategies = VirtioBlockBuilder::backOff;

    VirtioBlockBuilder(FileSource source) {
        this.source = source;
    }

    /**
     * Opens the file for reading only, and refuses what would write.
     *
     * @return this
     */
    public VirtioBlockBuilder readOnly() {
        readOnly = true;
        return this;
    }

    /**
     * Sets the number of request queues. Default 1; Linux takes as many as it has processors.
     *
     * @param count 1 to 1024
     * @return this
     */
    public VirtioBlockBuilder queues(int count) {
        if (count < 1 || count > MOST_QUEUES) {
            throw new IllegalArgumentException("queues=" + count + ", but 1 to " + MOST_QUEUES + " can be had");
        }
        queueCount = count;
        return this;
    }

    /**
     * Sets the largest size of each queue. Default 256.
     *
     * <p>A request has a descriptor for its header, one for its status and at least one for its data, and no chain may
     * have more descriptors than its queue (section 2.7.5.3.1).
     *
     * @param entries a power of two from 4 to 32,768
     * @return this
     */
    public VirtioBlockBuilder queueSize(int entries) {
        if (Integer.bitCount(entries) != 1 || entries <= BlockSettings.FRAME || entries > 1 << 15) {
            throw new IllegalArgumentException("queueSize=" + entries + ", but a power of two from 4 to 32768 is "
                    + "needed: a request has three descriptors (header, data, status)");
        }
        queueSize = entries;
        return this;
    }

    /**
     * Sets the size of a block, which is what a driver should read and write at once. It may use single sectors of 512
     * bytes all the same. Default 512. The disk must have a whole number of blocks, and those of a block device must
     * not be larger.
     *
     * @param bytes a power of two from 512 to 65,536
     * @return this
     */
    public VirtioBlockBuilder blockSize(int bytes) {
        if (Integer.bitCount(bytes) != 1 || bytes < BlockConfig.SECTOR_SIZE || bytes > LARGEST_BLOCK) {
            throw new IllegalArgumentException("blockSize=" + bytes + ", but a power of two from 512 to "
                    + LARGEST_BLOCK + " is needed");
        }
        blockSize = bytes;
        return this;
    }

    /**
     * Sets the name that GET_ID tells, which Linux shows as the serial number. Default: empty.
     *
     * @param name up to 20 ASCII characters
     * @return this
     */
    public VirtioBlockBuilder id(String name) {
        if (name.length() > RequestHeader.ID_SIZE || !StandardCharsets.US_ASCII.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException("id=" + name + ", but it has room for " + RequestHeader.ID_SIZE
                    + " ASCII characters");
        }
        id = name;
        return this;
    }

    /**
     * Sets whether others are kept from the file. Default {@link DiskLock#AUTO}.
     *
     * @param mode whether, and what happens where it cannot be done
     * @return this
     */
    public VirtioBlockBuilder lock(DiskLock mode) {
        lock = Objects.requireNonNull(mode);
        return this;
    }

    /**
     * Does not offer a feature. Without FLUSH there is no CONFIG_WCE either (section 5.2.5.2), and every write is
     * stable when it is completed.
     *
     * @param bit one of {@link BlockFeature}
     * @return this
     */
    public VirtioBlockBuilder without(int bit) {
        features = features.without(bit);
        if (bit == BlockFeature.FLUSH) {
            features = features.without(BlockFeature.CONFIG_WCE);
        }
        return this;
    }

    /**
     * Sets what a queue's thread does while there is nothing to do. Default: it spins for some microseconds and then
     * parks, for 100 ms each time. A kick ends parking at once, but neither sleeping nor yielding.
     *
     * @param strategies asked for one strategy for each thread
     * @return this
     */
    public VirtioBlockBuilder workers(Supplier<? extends IdleStrategy> strategies) {
        serving = Serving.WORKERS;
        idleStrategies = Objects.requireNonNull(strategies);
        return this;
    }

    /**
     * Starts no thread: the thread that kicks a queue serves it before the kick returns, and waits for the disk.
     *
     * @return this
     */
    public VirtioBlockBuilder servedInKicks() {
        serving = Serving.KICKS;
        return this;
    }

    /**
     * Starts no thread, and finds requests without notifications: a thread of the embedder's calls the {@code poll} of
     * the function or window again and again, or {@link VirtioBlock#poll} for each queue. Drivers are asked to send no
     * notification (section 2.7.10); one that comes all the same serves nothing.
     *
     * @return this
     */
    public VirtioBlockBuilder polled() {
        serving = Serving.POLLS;
        return this;
    }

    /**
     * Makes the device and opens its file.
     *
     * @return a disk, to be closed after its last reset
     * @throws IOException if the file cannot be opened, is neither file nor block device, or is used by another disk or
     *     process (see {@link #lock}); nothing is left open then
     * @throws IllegalArgumentException if its length is no multiple of the block size, or the blocks of a device are
     *     larger
     */
    public VirtioBlock build() throws IOException {
        Features offered = features;
        if (readOnly) {
            offered = offered.with(BlockFeature.RO).without(BlockFeature.DISCARD).without(BlockFeature.WRITE_ZEROES);
        }
        if (queueCount > 1) {
            offered = offered.with(BlockFeature.MQ);
        }
        return new VirtioBlock(new BlockSettings(offered, queueCount, queueSize, blockSize, id, lock,
                serving, idleStrategies), source.file(readOnly));
    }

    private static IdleStrategy backOff() {
        return new BackoffIdleStrategy(SPINS, YIELDS, PARK_NANOS, PARK_NANOS);
    }
}
