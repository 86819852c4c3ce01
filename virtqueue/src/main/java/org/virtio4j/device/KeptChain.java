// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;

/**
 * A descriptor chain that its device answers later. Chains of one queue may be completed in any order, by any thread,
 * each once. The answer is copied by {@link #complete}. The thread that serves the queue writes it to guest memory; if
 * none serves, the calling thread does.
 *
 * <p>After a reset of the device or of its queue nobody waits for the chain, and completing it does nothing. The object
 * is used again for a later chain, so it must not be touched after it was completed.
 */
public final class KeptChain {

    /** In the pool. */
    private static final int FREE = 0;
    /** Its device works on it. */
    private static final int KEPT = 1;
    /** Its answer waits for the thread that serves. */
    private static final int ANSWERED = 2;
    /** Nobody waits for it, and the object is not used again: its device may still hold it. */
    private static final int ABANDONED = 3;

    private final @Nullable KeptChains home;
    private final AtomicInteger state = new AtomicInteger(FREE);

    /** Written before the chain is handed to its device, and read by whatever thread that gives it to. */
    private long readableLength;
    private long writableLength;
    private volatile @Nullable DeviceQueue queue;

    /** The answer, of which {@link #length} bytes count; grows to the longest there was. */
    private MemorySegment answer = MemorySegment.NULL;
    private long length;

    // For the thread that serves

    /** The chain itself; while this object is free, an empty slot. */
    private Chain chain = new Chain();
    private long written;
    private int place;

    /** The next one in a list of those that were answered, or that are free. */
    private @Nullable KeptChain next;

    KeptChain(KeptChains home) {
        this.home = home;
    }

    private KeptChain(long readableLength, long writableLength) {
        this.home = null;
        this.readableLength = readableLength;
        this.writableLength = writableLength;
        state.set(ABANDONED);
    }

    /** A chain whose completion does nothing. */
    static KeptChain forNobody(long readableLength, long writableLength) {
        return new KeptChain(readableLength, writableLength);
    }

    /**
     * Length of the device-readable part.
     *
     * @return bytes
     */
    public long readableLength() {
        return readableLength;
    }

    /**
     * Length of the device-writable part.
     *
     * @return bytes: the longest answer there can be
     */
    public long writableLength() {
        return writableLength;
    }

    /**
     * Whether the driver still waits for the chain. Any thread.
     *
     * @return false once the queue was reset, or the device
     */
    public boolean isWanted() {
        return state.get() == KEPT && home != null && home.isServing(queue);
    }

    /**
     * Gives the chain back with nothing written to it. As {@link #complete(MemorySegment, long, long)} otherwise.
     *
     * @return whether the driver still waited
     * @throws IllegalStateException if the chain was completed before
     */
    public boolean complete() {
        return complete(answer, 0, 0);
    }

    /**
     * Gives the chain back with an answer. Any thread, while it holds no lock that the device's handler or an
     * embedder's interrupt may wait for. If no other thread serves the queue, this one does, and runs the handler for
     * other chains; with {@link ServedQueue#byWorker} the worker does. What the handler or an interrupt throws then
     * comes out here, too. The chain is completed all the same, and must not be completed again.
     *
     * @param from       where the answer is copied from, before this returns
     * @param fromOffset bytes from the start of {@code from}
     * @param bytes      length of the answer, from the start of the writable part
     * @return whether the driver still waited; false after a reset
     * @throws IndexOutOfBoundsException if the chain has no room for the answer, or {@code from} has not so many bytes
     * @throws IllegalStateException if the chain was completed before
     */
    public boolean complete(MemorySegment from, long fromOffset, long bytes) {
        Objects.checkFromIndexSize(fromOffset, bytes, from.byteSize());
        if (bytes > writableLength) {
            throw new IndexOutOfBoundsException("bytes=" + bytes + " in a part of " + writableLength
                    + " bytes; look at writableLength() first");
        }
        KeptChains kept = home;
        int seen = state.get();
        if (kept == null || seen == ABANDONED || (seen == KEPT && !kept.isServing(queue))) {
            return false;
        }
        if (seen != KEPT) {
            throw new IllegalStateException("chain=completed; each is completed once");
        }
        // Before the state changes: a copy that throws leaves the chain to be completed again.
        if (bytes > answer.byteSize()) {
            answer = Arena.ofAuto().allocate(Math.max(bytes, 2 * answer.byteSize()), Long.BYTES);
        }
        MemorySegment.copy(from, fromOffset, answer, 0, bytes);
        length = bytes;
        if (!state.compareAndSet(KEPT, ANSWERED)) {
            // Abandoned just now, for two threads do not complete one chain.
            return false;
        }
        kept.answered(this);
        return true;
    }

    // For the thread that serves

    /** Takes a chain over, and leaves an empty slot instead. */
    Chain keep(Chain taken, DeviceQueue of, int placeInUse) {
        Chain slot = chain;
        chain = taken;
        queue = of;
        readableLength = taken.readableLength();
        writableLength = taken.writableLength();
        written = 0;
        place = placeInUse;
        state.set(KEPT);
        return slot;
    }

    boolean isOf(DeviceQueue ring) {
        return Objects.equals(queue, ring);
    }

    Reach reach(DeviceQueue ring) {
        return Reach.of(ring, chain);
    }

    /**
     * Writes the next piece of the answer, of {@code most} bytes at most. Inside a section.
     *
     * @return as {@link Chain#write}
     */
    DmaResult writePiece(long most) {
        long piece = Math.min(most, length - written);
        if (piece == 0) {
            return DmaResult.OK;
        }
        DmaResult result = chain.write(written, answer, written, piece);
        if (result == DmaResult.OK) {
            written += piece;
        }
        return result;
    }

    /** Bytes of the answer that are not in guest memory yet. */
    long missing() {
        return length - written;
    }

    void giveBack(DeviceQueue ring) {
        ring.complete(chain);
    }

    /** Empties the slot for another chain. */
    void free() {
        chain.drop();
        queue = null;
        state.set(FREE);
    }

    /** Ends with the ring; false if the answer is already on its way to the thread that serves. */
    boolean abandon() {
        return state.compareAndSet(KEPT, ABANDONED);
    }

    int place() {
        return place;
    }

    void place(int index) {
        place = index;
    }

    @Nullable KeptChain next() {
        return next;
    }

    void next(@Nullable KeptChain after) {
        next = after;
    }

    /** How much a section may copy of answers. */
    static long mostBytes() {
        return DmaHandle.MAX_BYTES;
    }
}
