// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.agrona.concurrent.IdleStrategy;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.ServedQueue;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;
import org.virtio4j.wire.block.RequestHeader;

/**
 * A disk in a file or on a block device of the host (virtio 1.4, section 5.2).
 *
 * <pre>{@code
 * try (VirtioBlock disk = VirtioBlock.builder(Path.of("disk.img")).queues(2).build()) {
 *     VirtioPciFunction function = VirtioPciFunction.of(disk, DmaSpace.of(memory, iommu.translator(0x48), 0x48),
 *             interrupts);
 * }
 * }</pre>
 *
 * <p>Each queue is served by a thread of its own from {@code DRIVER_OK} to the next reset, unless the builder says
 * otherwise. A request is answered when it is done. What a host cannot read or write is answered with {@code IOERR} and
 * counted; the next request is tried again. A completed write is stable after a later FLUSH; for a driver that did not
 * negotiate FLUSH, or chose a writethrough cache, as soon as it is completed. After a flush that failed none succeeds
 * any more, whatever resets there are: the host may have dropped what it could not write.
 *
 * <p>DISCARD, and WRITE_ZEROES with UNMAP, give storage back to the host where its file system can do that and native
 * calls are allowed ({@code --enable-native-access=org.virtio4j.os}). Else DISCARD changes nothing, and WRITE_ZEROES
 * writes. {@link DiskLock} says who else may use the file.
 *
 * <p>When a reset of the device or of a queue returns, or {@link #close}, no earlier request is at work any more,
 * neither in guest memory nor in the file. It waits for the transfer under way, which is at most 64 KiB of each queue,
 * or a FLUSH. None of them may be called from a callback of the device's own interrupts.
 *
 * <p>The methods of {@link org.virtio4j.device.VirtioDevice} are called by its life cycle. All others may be called
 * from any thread.
 */
public final class VirtioBlock extends QueueDevice implements AutoCloseable {

    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

    private final BlockSettings settings;
    private final DiskFile file;
    private final BlockConfiguration configuration;
    private final BlockCounters counters;
    private final BlockRequest[] requests;

    /** One resize at a time, which waits for requests at work. Taken by nobody else, and under no other lock. */
    private final ReentrantLock resizing = new ReentrantLock();

    VirtioBlock(BlockSettings settings, DiskFile file) throws IOException {
        super(DeviceType.BLOCK, (int) BlockConfig.SIZE);
        this.settings = settings;
        this.file = file;
        this.configuration = new BlockConfiguration(settings);
        this.counters = new BlockCounters(settings.queueCount());
        this.requests = new BlockRequest[settings.queueCount()];
        MemorySegment id = Arena.ofAuto().allocate(RequestHeader.ID_SIZE);
        MemorySegment.copy(MemorySegment.ofArray(settings.id().getBytes(StandardCharsets.US_ASCII)), 0, id, 0,
                settings.id().length());
        for (int i = 0; i < requests.length; i++) {
            requests[i] = new BlockRequest(file, configuration, counters.queue(i), id);
            addQueue(i);
        }
        long bytes = file.begin(settings.lock(), settings.blockSize());
        if (file.isSparse() && settings.features().has(BlockFeature.WRITE_ZEROES)) {
            configuration.writeZeroesMayUnmap();
        }
        configuration.capacity(sectors(bytes));
    }

    /**
     * Begins to set a disk up.
     *
     * @param file a file or block device that exists; its length is that of the disk, a multiple of the block size
     * @return a builder for a disk of one queue
     */
    public static VirtioBlockBuilder builder(Path file) {
        return new VirtioBlockBuilder(readOnly -> new DiskFile(file, readOnly));
    }

    /**
     * Serves one queue on this thread, as the {@code poll} of the function or window does with all: what {@link
     * VirtioBlockBuilder#polled} leaves to the embedder. It may be called for other disks too, and for several queues
     * at once. It waits for the disk. Any thread.
     *
     * @param queue index of the queue
     * @return how many requests were answered, at most twice the size of the ring; 0 while another thread serves
     * @throws IndexOutOfBoundsException if there is no such queue
     */
    @Override
    public int poll(int queue) {
        return super.poll(queue);
    }

    /**
     * The length of the disk, as the driver sees it.
     *
     * @return bytes
     */
    public long size() {
        return configuration.capacity() * BlockConfig.SECTOR_SIZE;
    }

    /**
     * Makes file and disk longer or shorter, and tells the driver (section 5.2.6.2). What is added reads as zeros. When
     * it gets shorter, requests at work are waited for and later ones beyond the new end are refused. A block device
     * is not changed, but followed: make it longer first.
     *
     * @param bytes the new length, a multiple of the block size; of a block device, the length it has by now
     * @throws IOException if the host cannot do it; the disk is as long as before then
     * @throws IllegalArgumentException if the length is negative or no multiple of the block size
     * @throws IllegalStateException if the disk is read-only
     */
    public void resize(long bytes) throws IOException {
        if (bytes < 0 || bytes % settings.blockSize() != 0) {
            throw new IllegalArgumentException("bytes=" + bytes + ", but a multiple of the block size, "
                    + settings.blockSize() + ", is needed");
        }
        if (file.readOnly()) {
            throw new IllegalStateException("readOnly=true; a file that may not be written cannot be resized");
        }
        resizing.lock();
        try {
            long before = configuration.capacity();
            configuration.capacity(Math.min(before, sectors(bytes)));
            for (BlockRequest request : requests) {
                request.awaitWork();
            }
            boolean done = false;
            try {
                file.resize(bytes);
                done = true;
            } finally {
                configuration.capacity(done ? sectors(bytes) : before);
            }
        } finally {
            resizing.unlock();
        }
        configChanged();
    }

    /**
     * Why other processes are not kept from the disk's file, where {@link DiskLock#AUTO} would keep them away.
     *
     * @return one sentence for the user who set the disk up; empty if all is well or {@link DiskLock#OFF} was asked for
     */
    public Optional<String> lockNotice() {
        return Optional.of(file.lockNotice()).filter(notice -> !notice.isEmpty());
    }

    /**
     * What this disk has done.
     *
     * @return counters that go on counting
     */
    public BlockCounters counters() {
        return counters;
    }

    /**
     * Ends all threads, and closes the file. Reset the device first: a driver that still uses it waits for answers that
     * do not come, or gets {@code IOERR} where the disk has no threads.
     *
     * @throws IOException if the host reports an error of an earlier write now, or has not answered a transfer for 2 s.
     *         The file stays open in the second case, and the threads, which keep no process alive, end when the host
     *         answers
     */
    @Override
    public void close() throws IOException {
        if (!endServing(CLOSE_LIMIT)) {
            throw new IOException(file + ": the host has not answered a transfer for 2 s; the file stays open");
        }
        file.close();
    }

    // VirtioDevice

    @Override
    public Features offered() {
        return settings.features();
    }

    @Override
    public boolean isPolled() {
        return settings.serving() == BlockSettings.Serving.POLLS;
    }

    @Override
    public void negotiated(Features features) {
        configuration.negotiated(features);
    }

    @Override
    public void reset(ResetKind kind) {
        configuration.reset();
    }

    @Override
    public long readConfig(int offset, int width) {
        return configuration.read(offset, width);
    }

    @Override
    public int configVersion() {
        return configuration.version();
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        configuration.write(offset, width, value);
    }

    private void addQueue(int index) {
        ServedQueue queue = queue(settings.queueSize(), requests[index]);
        switch (settings.serving()) {
            case KICKS -> { }
            case WORKERS -> {
                IdleStrategy idling = Objects.requireNonNull(settings.idleStrategies().get());
                queue.byWorker("virtio4j disk queue " + index, idling::idle);
            }
            case POLLS -> queue.byPollsAlone();
        }
    }

    private long sectors(long bytes) {
        return bytes / settings.blockSize() * (settings.blockSize() / BlockConfig.SECTOR_SIZE);
    }
}
