// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

/**
 * The driver's side of a split virtqueue (virtio 1.4, sections 2.7.13 and 2.7.14).
 *
 * <pre>{@code
 * queue.add(token, request, requestLength, answer, answerLength);
 * queue.publish();                                   // from here on the device may take it
 * if (queue.kickNeeded()) {
 *     transport.notifyQueue(queue.index());
 * }
 * while (queue.poll()) {                             // in whatever order the device is done
 *     handle(queue.usedToken(), queue.usedLength());
 * }
 * }</pre>
 *
 * <p>The device is not trusted: the queue remembers which descriptors are free and which buffers are out, and reads
 * neither back from shared memory. The first thing a device does wrong in the used ring stays as {@link #failure}.
 *
 * <p>Belongs to one thread at a time. Nothing allocates once the queue is made.
 */
public final class DriverQueue {

    private static final int INDEX_MASK = 0xffff;
    private static final long LONGEST = 0xffff_ffffL;

    private final int index;
    private final QueueMemory memory;
    private final DescriptorChains chains;
    private final GuestBuffer available;
    private final GuestBuffer used;
    private final int size;
    private final boolean eventIdx;

    /** By head, of the chains that are out. */
    private final long[] tokens;
    private final long[] writableLengths;
    private int outCount;

    /** The next entry to fill, what the device sees of it, and how much of that no kick was decided for. */
    private int nextAvailable;
    private int published;
    private int undecided;

    /** The next element to take, and the device's index as last read. */
    private int nextUsed;
    private int usedIndex;
    private boolean notificationsWanted = true;

    private long usedToken;
    private long usedId;
    private long usedLength;
    private UsedRingFailure failure = UsedRingFailure.NONE;

    /**
     * A queue without indirect tables. Its memory is zeroed.
     *
     * @param index    which queue of the device it is
     * @param memory   where it lies
     * @param eventIdx whether {@code VIRTIO_F_EVENT_IDX} was negotiated
     */
    public DriverQueue(int index, QueueMemory memory, boolean eventIdx) {
        this(index, memory, eventIdx, null);
    }

    /**
     * A queue that puts every chain of two descriptors or more into an indirect table, if it fits into one. Its memory
     * is zeroed. Needs {@code VIRTIO_F_INDIRECT_DESC}.
     *
     * @param index    which queue of the device it is
     * @param memory   where it lies
     * @param eventIdx whether {@code VIRTIO_F_EVENT_IDX} was negotiated
     * @param tables   memory for as many tables as the queue has entries; each is as large as this allows
     */
    public DriverQueue(int index, QueueMemory memory, boolean eventIdx, @Nullable GuestBuffer tables) {
        this.index = index;
        this.memory = memory;
        this.chains = new DescriptorChains(memory.descriptorTable(), memory.size(), tables);
        this.available = memory.availableRing();
        this.used = memory.usedRing();
        this.size = memory.size();
        this.eventIdx = eventIdx;
        this.tokens = new long[size];
        this.writableLengths = new long[size];
        memory.clear();
    }

    /**
     * Which queue this is.
     *
     * @return its index at the device
     */
    public int index() {
        return index;
    }

    /**
     * How many entries the queue has.
     *
     * @return a power of two
     */
    public int size() {
        return size;
    }

    /**
     * Where the queue lies.
     *
     * @return its three parts
     */
    public QueueMemory memory() {
        return memory;
    }

    /**
     * How many descriptors of the table are free. A chain in an indirect table takes one.
     *
     * @return a count
     */
    public int free() {
        return chains.freeCount();
    }

    /**
     * How many buffers were added and have not come back.
     *
     * @return a count
     */
    public int out() {
        return outCount;
    }

    /**
     * Adds a buffer of at most one readable and one writable piece. The device does not see it before {@link #publish}.
     *
     * @param token        anything; comes back with {@link #usedToken}
     * @param readAddress  where the device reads, as the device sees memory
     * @param readLength   bytes, 0 for no such piece
     * @param writeAddress where the device writes, as the device sees memory
     * @param writeLength  bytes, 0 for no such piece
     * @return false if there is no room; nothing has changed then
     * @throws IllegalArgumentException if both lengths are 0, or one is negative or has more than 32 bits
     */
    public boolean add(long token, long readAddress, long readLength, long writeAddress, long writeLength) {
        int pieces = (readLength == 0 ? 0 : 1) + (writeLength == 0 ? 0 : 1);
        checkLength(readLength);
        checkLength(writeLength);
        if (!chains.begin(pieces)) {
            return false;
        }
        if (readLength != 0) {
            chains.put(readAddress, readLength, 0);
        }
        if (writeLength != 0) {
            chains.put(writeAddress, writeLength, SplitDescriptor.FLAG_WRITE);
        }
        offer(token, writeLength);
        return true;
    }

    /**
     * Adds a buffer of any pieces, readable ones first. The device does not see it before {@link #publish}.
     *
     * @param token         anything; comes back with {@link #usedToken}
     * @param addresses     of the pieces, as the device sees memory
     * @param lengths       of the pieces, bytes; 0 makes a descriptor of length 0
     * @param readableCount how many pieces the device reads
     * @param writableCount how many pieces after them the device writes
     * @return false if there is no room; nothing has changed then
     * @throws IllegalArgumentException if there is no piece, there are more than the queue has entries, or a length is
     *         negative or has more than 32 bits
     */
    public boolean add(long token, long[] addresses, long[] lengths, int readableCount, int writableCount) {
        int pieces = readableCount + writableCount;
        long writable = 0;
        for (int i = 0; i < pieces; i++) {
            checkLength(lengths[i]);
            writable += i < readableCount ? 0 : lengths[i];
        }
        if (!chains.begin(pieces)) {
            return false;
        }
        for (int i = 0; i < pieces; i++) {
            chains.put(addresses[i], lengths[i], i < readableCount ? 0 : SplitDescriptor.FLAG_WRITE);
        }
        offer(token, writable);
        return true;
    }

    /** Makes everything added so far visible to the device, with one store. It may begin without a kick. */
    public void publish() {
        undecided += (nextAvailable - published) & INDEX_MASK;
        published = nextAvailable;
        // Release: a device that sees the index sees the entries, the descriptors and the buffers.
        available.putU16Release(AvailableRing.IDX, published);
    }

    /**
     * Decides whether the device wants to be notified of what was published since the last decision (section 2.7.10).
     * To be asked after {@link #publish}; the kick is the caller's to make.
     *
     * @return true if it does; false too when nothing was published
     */
    public boolean kickNeeded() {
        if (undecided == 0) {
            return false;
        }
        int count = undecided;
        undecided = 0;
        // The index must be visible before the device's wish is read, or each side could wait for the other.
        VarHandle.fullFence();
        if (!eventIdx) {
            return (used.u16(UsedRing.FLAGS) & UsedRing.FLAG_NO_NOTIFY) == 0;
        }
        int event = used.u16(UsedRing.availEvent(size));
        return count > INDEX_MASK || ((published - event - 1) & INDEX_MASK) < count;
    }

    /**
     * Takes the next buffer that the device gave back.
     *
     * @return false if there is none now, or the device broke a rule: see {@link #failure}
     */
    public boolean poll() {
        if (failure != UsedRingFailure.NONE || (nextUsed == usedIndex && !lookAgain())) {
            return false;
        }
        long element = UsedRing.RING + (nextUsed & (size - 1)) * UsedRing.ELEMENT_SIZE;
        usedId = used.u32(element + UsedRing.ELEMENT_ID);
        usedLength = used.u32(element + UsedRing.ELEMENT_LEN);
        UsedRingFailure broken = check(usedId, usedLength);
        if (broken != UsedRingFailure.NONE) {
            failure = broken;
            return false;
        }
        usedToken = tokens[(int) usedId];
        chains.release((int) usedId);
        outCount--;
        nextUsed = (nextUsed + 1) & INDEX_MASK;
        if (eventIdx && notificationsWanted) {
            writeUsedEvent();
        }
        return true;
    }

    /**
     * What {@link #poll} took last.
     *
     * @return the token the buffer was added with
     */
    public long usedToken() {
        return usedToken;
    }

    /**
     * Which chain {@link #poll} saw last, also one that it refused.
     *
     * @return the used element's {@code id}
     */
    public long usedId() {
        return usedId;
    }

    /**
     * How much of its writable part the device says it wrote, in what {@link #poll} saw last.
     *
     * @return the used element's {@code len}, bytes
     */
    public long usedLength() {
        return usedLength;
    }

    /**
     * Whether and what the device did wrong.
     *
     * @return the first thing; {@link #poll} takes nothing after it
     */
    public UsedRingFailure failure() {
        return failure;
    }

    /** Asks the device for no used buffer notifications; the device may still send some (section 2.7.7). */
    public void disableUsedNotifications() {
        notificationsWanted = false;
        if (eventIdx) {
            // As far away as an index can be. After 65,536 buffers it is reached, and a notification is allowed.
            available.putU16(AvailableRing.usedEvent(size), nextUsed - 1);
        } else {
            available.putU16(AvailableRing.FLAGS, AvailableRing.FLAG_NO_INTERRUPT);
        }
    }

    /**
     * Asks the device for used buffer notifications; so it is at the start.
     *
     * @return whether buffers came back before the device could know, so that one has to poll again
     */
    public boolean enableUsedNotifications() {
        notificationsWanted = true;
        if (eventIdx) {
            writeUsedEvent();
        } else {
            available.putU16(AvailableRing.FLAGS, 0);
            VarHandle.fullFence();
        }
        return used.u16Acquire(UsedRing.IDX) != nextUsed;
    }

    /** The wish must be visible before the used index is read again, or the device could see neither. */
    private void writeUsedEvent() {
        available.putU16(AvailableRing.usedEvent(size), nextUsed);
        VarHandle.fullFence();
    }

    /** Ends the chain under construction and puts its head into the available ring. */
    private void offer(long token, long writable) {
        int head = chains.end();
        tokens[head] = token;
        writableLengths[head] = writable;
        outCount++;
        available.putU16(AvailableRing.RING + (nextAvailable & (size - 1)) * AvailableRing.ENTRY_SIZE, head);
        nextAvailable = (nextAvailable + 1) & INDEX_MASK;
    }

    private boolean lookAgain() {
        // Acquire: the elements, and what the device wrote into the buffers, are read after the index.
        int seen = used.u16Acquire(UsedRing.IDX);
        if (((seen - nextUsed) & INDEX_MASK) > outCount) {
            failure = UsedRingFailure.INDEX_AHEAD;
            return false;
        }
        usedIndex = seen;
        return seen != nextUsed;
    }

    private UsedRingFailure check(long id, long length) {
        if (id >= size) {
            return UsedRingFailure.ID_OUT_OF_RANGE;
        }
        if (!chains.isOut((int) id)) {
            return UsedRingFailure.ID_NOT_AVAILABLE;
        }
        return length > writableLengths[(int) id] ? UsedRingFailure.LENGTH_TOO_LONG : UsedRingFailure.NONE;
    }

    private static void checkLength(long length) {
        if (length < 0 || length > LONGEST) {
            throw new IllegalArgumentException("length=" + length + ", but a descriptor has 32 bits for it");
        }
    }
}
