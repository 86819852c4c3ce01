// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.hostile;

import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.iommu.ChainLayout;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.vmm.GuestMemory;

/**
 * Makes an {@link IommuDriver} send what Linux never sends: requests of any bytes, and requests in any pieces. From
 * here on all requests of the driver are cut as {@link #framing} says.
 *
 * <p>Belongs to the driver's thread. Nothing allocates, except for the first request that is cut into pieces after a
 * start with another queue size.
 */
public final class HostileRequests {

    /** Enough room for the raw requests of most batches, in bytes. */
    public static final int USUAL_ROOM = 1 << 17;

    private static final int UNWRITTEN = 0xff;

    private final IommuDriver driver;
    private final int room;
    private final GuestBuffer readable;
    private final GuestBuffer writable;
    private long readableUsed;
    private long writableUsed;

    /** The queue that the last raw request went to. Each start of the device makes another one. */
    private @Nullable DriverQueue usedBy;

    private Framing framing = Framing.WHOLE;

    /** The pieces of the request being cut. */
    private long[] addresses = {};
    private long[] lengths = {};

    /**
     * Takes a driver over, started or not.
     *
     * @param driver sends the requests
     * @param ram    memory for raw requests
     * @param room   bytes for the readable parts of the raw requests of one batch, and as much again for the writable
     *               parts; {@link #USUAL_ROOM} if in doubt
     * @throws IllegalArgumentException if the room is negative
     * @throws IllegalStateException if there is not enough memory
     */
    public HostileRequests(IommuDriver driver, GuestRam ram, int room) {
        if (room < 0) {
            throw new IllegalArgumentException("room=" + room + ", but 0 or more bytes are needed");
        }
        this.driver = driver;
        this.room = room;
        this.readable = ram.buffer(Math.max(room, 1), GuestMemory.PAGE_SIZE);
        this.writable = ram.buffer(Math.max(room, 1), GuestMemory.PAGE_SIZE);
        driver.chainLayout(this::add);
    }

    /**
     * The driver that was taken over.
     *
     * @return the driver that sends the requests
     */
    public IommuDriver driver() {
        return driver;
    }

    /**
     * Chooses how requests are cut into descriptors from now on.
     *
     * @param newFraming {@link Framing#WHOLE} at the beginning
     */
    public void framing(Framing newFraming) {
        framing = newFraming;
    }

    /**
     * Queues a request of any bytes, parsable or not, without a kick.
     *
     * @param tag            anything; comes back with the answer
     * @param bytes          the readable part, copied from the start of the array
     * @param readableLength how long the readable part is, in bytes
     * @param writableLength how long a writable part to offer, in bytes, 32 bits unsigned; more than the room is
     *                       offered as asked, but only the length of the room is memory that nothing else uses
     * @return {@link DriverResult#OK} once it is in the ring
     * @throws IllegalArgumentException if the readable part is longer than the room, or a length has more than 32 bits
     * @throws IllegalStateException before {@link IommuDriver#start}
     */
    public DriverResult raw(long tag, byte[] bytes, int readableLength, long writableLength) {
        if (readableLength > room) {
            throw new IllegalArgumentException("readableLength=" + readableLength + ", but room=" + room
                    + "; give hostile requests more");
        }
        long ownLength = Math.min(writableLength, room);
        DriverResult ready = reserve(readableLength, ownLength);
        if (ready != DriverResult.OK) {
            return ready;
        }
        long from = readableUsed;
        long to = writableUsed;
        readable.write(from, bytes, 0, readableLength);
        writable.fill(to, ownLength, UNWRITTEN);
        readableUsed += readableLength;
        writableUsed += ownLength;
        int type = readableLength == 0 ? 0 : bytes[0] & 0xff;
        return driver.submit(tag, type, readable.address() + from, readableLength, writable, to, writableLength);
    }

    /** Finds room for one more; the whole room is free again whenever no request is on its way. */
    private DriverResult reserve(long readableLength, long writableLength) {
        DriverQueue queue = driver.requestQueue();
        if (queue != usedBy) {
            usedBy = queue;
            readableUsed = 0;
            writableUsed = 0;
        }
        boolean full = readableUsed + readableLength > room || writableUsed + writableLength > room;
        DriverResult ready = full && queue.out() != 0 ? driver.sync() : driver.reserve();
        if (queue.out() == 0) {
            readableUsed = 0;
            writableUsed = 0;
        }
        return ready;
    }

    /** The {@link ChainLayout} of the driver. */
    private boolean add(DriverQueue queue, long token, long readableAddress, long readableLength, long writableAddress,
            long writableLength) {
        if (framing == Framing.WHOLE && (readableLength | writableLength) != 0) {
            return queue.add(token, readableAddress, readableLength, writableAddress, writableLength);
        }
        makeRoomForPieces(queue.size());
        int first = framing.cutReadable(readableAddress, readableLength, addresses, lengths, 0);
        int all = framing.cutWritable(writableAddress, writableLength, addresses, lengths, first);
        if (all == 0) {
            // A buffer has at least one descriptor, even if its length is 0.
            addresses[0] = readableAddress;
            lengths[0] = 0;
            return queue.add(token, addresses, lengths, 1, 0);
        }
        return queue.add(token, addresses, lengths, first, all - first);
    }

    private void makeRoomForPieces(int queueSize) {
        if (addresses.length != queueSize) {
            addresses = new long[queueSize];
            lengths = new long[queueSize];
        }
    }
}
