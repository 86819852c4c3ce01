// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;

/**
 * The descriptor chain that a {@link ChainHandler} has at work: a part that the device may read, followed by a part
 * that it may write. Each copy opens sections of its own, of at most {@link DmaHandle#MAX_BYTES} each, so no UNMAP
 * waits for the handler.
 *
 * <p>What the driver wrote may change until it is copied, and each copy reads it anew: copy once, then check. Only for
 * the thread that serves, and only until {@link ChainHandler#serve} returns.
 */
public final class ServedChain {

    private @Nullable QueueLoop loop;
    private long readableLength;
    private long writableLength;
    private boolean repeated;
    private boolean interrupted;
    private boolean kept;

    ServedChain() {
    }

    /**
     * Length of the device-readable part.
     *
     * @return bytes, may be 0
     */
    public long readableLength() {
        return readableLength;
    }

    /**
     * Length of the device-writable part.
     *
     * @return bytes, may be 0
     */
    public long writableLength() {
        return writableLength;
    }

    /**
     * Whether the handler was called for this chain before, and it was not given back: guest memory was out of reach,
     * or it was {@linkplain #postpone postponed}. For a device that must not do a thing twice.
     *
     * @return false the first time
     */
    public boolean isRepeated() {
        return repeated;
    }

    /**
     * Whether the driver still waits for the chain, for a handler that takes long. It is false already when {@link
     * VirtioDevice#stop} or {@link VirtioDevice#queueStopped} is called.
     *
     * @return false once the queue was reset, or the device, or serving was ended
     */
    public boolean isWanted() {
        return loop().wanted();
    }

    /**
     * Copies from the readable part.
     *
     * @param offset   bytes from the start of that part
     * @param to       where to copy to
     * @param toOffset bytes from the start of {@code to}
     * @param length   bytes
     * @return {@link DmaResult#OK}, or why the driver's buffer cannot be read; a part may have been copied then
     * @throws IndexOutOfBoundsException if that is more than the part or {@code to} holds
     */
    public DmaResult read(long offset, MemorySegment to, long toOffset, long length) {
        QueueLoop serving = loop();
        // Here, because a length that a driver has made negative would otherwise be a copy of nothing.
        Objects.checkFromIndexSize(offset, length, readableLength);
        Objects.checkFromIndexSize(toOffset, length, to.byteSize());
        DmaResult result = DmaResult.OK;
        for (long done = 0; done < length && result == DmaResult.OK; done += DmaHandle.MAX_BYTES) {
            result = serving.read(0, offset + done, to, toOffset + done, Math.min(length - done, DmaHandle.MAX_BYTES));
        }
        return noted(result);
    }

    /**
     * Copies to the writable part. The used length, which tells the driver how much there is, goes up to where the
     * copies from the start of the part have come without a gap.
     *
     * @param offset     bytes from the start of that part
     * @param from       where to copy from
     * @param fromOffset bytes from the start of {@code from}
     * @param length     bytes
     * @return {@link DmaResult#OK}, or why the driver's buffer cannot be written. A part may have been copied then, and
     *         the used length may be less than that, but is never more
     * @throws IndexOutOfBoundsException if that is more than the part or {@code from} holds
     */
    public DmaResult write(long offset, MemorySegment from, long fromOffset, long length) {
        QueueLoop serving = loop();
        Objects.checkFromIndexSize(offset, length, writableLength);
        Objects.checkFromIndexSize(fromOffset, length, from.byteSize());
        DmaResult result = DmaResult.OK;
        for (long done = 0; done < length && result == DmaResult.OK; done += DmaHandle.MAX_BYTES) {
            result = serving.write(0, offset + done, from, fromOffset + done,
                    Math.min(length - done, DmaHandle.MAX_BYTES));
        }
        return noted(result);
    }

    /**
     * Has the handler called again for this chain, with nothing given back until then: for a device that cannot go on
     * now, such as a terminal that is full. The call comes after {@link ServedQueue#look}, which must be called when
     * the device can go on; it may come earlier, after a notification or a poll. Chains that follow wait as well.
     */
    public void postpone() {
        QueueLoop ignored = loop();
        interrupted = true;
    }

    /**
     * Keeps the chain beyond this call of the handler: it is given back when {@link KeptChain#complete} is called, by
     * any thread and in any order. Read from the chain before, because a kept chain can only be answered.
     *
     * @return the chain to complete. If guest memory was out of reach for a copy of this call, or the chain was
     *         postponed, nobody waits for it: the handler is called again, and has to keep the chain again.
     * @throws IllegalStateException if it is kept already
     */
    public KeptChain keep() {
        QueueLoop serving = loop();
        if (interrupted) {
            return KeptChain.forNobody(readableLength, writableLength);
        }
        kept = true;
        return serving.keep();
    }

    void begin(Chain chain, boolean again) {
        readableLength = chain.readableLength();
        writableLength = chain.writableLength();
        repeated = again;
        interrupted = false;
        kept = false;
    }

    /** Has the handler serve the chain; false if it has to do so again. */
    boolean serve(ChainHandler handler, QueueLoop serving) {
        loop = serving;
        try {
            handler.serve(this);
        } finally {
            loop = null;
        }
        return !interrupted;
    }

    private DmaResult noted(DmaResult result) {
        if (result == DmaResult.CLOSED) {
            interrupted = true;
        }
        return result;
    }

    private QueueLoop loop() {
        QueueLoop serving = loop;
        if (serving == null || kept) {
            throw new IllegalStateException("chain=" + (kept ? "kept" : "given back")
                    + "; use it before the handler keeps it or returns");
        }
        return serving;
    }
}
