// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * One user's door into a {@link DmaSpace}. Opened at set-up and owned by one thread at a time; handing it to another
 * thread needs a happens-before edge, as any plain object does. Only {@link #close} may be called from any thread.
 *
 * <p>Guest memory is reached inside a <em>section</em>, between {@link #enter} and {@link #leave}: translate, copy at
 * most {@link #MAX_BYTES}, and go. No blocking, no lock and no callback belongs inside, because whoever takes a mapping
 * or a region away waits for the section to end. Entering costs about as much as a full fence, so one opens a section
 * for a chain or a batch, not for each byte.
 *
 * <p>Of two threads that use one handle at once, the second is refused by {@link #enter}, and nothing of the first
 * one's section changes. The same goes for {@link #leave}, and for what a thread that did not enter asks the
 * translator.
 *
 * <p>A refused access is only recorded inside the section; {@link #leave} reports it, at most one a section. Nothing is
 * allocated by any method but {@link DmaSpace#open}, with the exception of a cursor that grows once.
 *
 * <p>Memory that another process cuts short while it is used is an {@link InternalError} of the access, or of the
 * calls that follow, {@link #leave} being the last. So whoever opens sections leaves them in a {@code finally}, and
 * believes nothing that was read before that. The loop that serves queues does so, and makes of it a device that needs
 * a reset.
 */
public final class DmaHandle implements AutoCloseable {

    /** The most bytes one {@link #access} may ask for, 64 KiB, so that a section stays short. */
    public static final long MAX_BYTES = 65_536;

    private static final long CLOSE_LIMIT_NANOS = 1_000_000_000;

    /** The opening of a handle that no gate stands before: odd, as those of an open gate. */
    private static final long UNGATED = 1;

    private final GuestMemory memory;
    private final Translator translator;
    private final int requesterId;
    private final @Nullable DmaGate gate;
    private final ReaderSlot slot;

    /** What earlier sections found and this one may use; null if nothing outlives a section. */
    private final @Nullable TranslationCaches caches;
    private final @Nullable TranslationCache cache;

    private final Extent extent = new Extent();
    private final DmaCursor own = new DmaCursor();

    /** Set by {@link #close}, maybe on another thread; sampled once a section, after the fence. */
    private volatile boolean closed;

    private RegionMap map = RegionMap.EMPTY;
    private @Nullable MemoryRegion lastRegion;
    private boolean live;

    /** The gate's passage at the start of the section; see {@link DmaGate#passage}. */
    private long opening = UNGATED;

    /** Only where the section is not live. */
    private boolean paused;
    private TranslateResult faultReason = TranslateResult.OK;
    private long faultIova;
    private Access faultAccess = Access.READ;

    /** What {@link #findDoorbell} found last. */
    private @Nullable MessageSink doorbell;
    private long doorbellAddress;

    DmaHandle(GuestMemory memory, Translator translator, int requesterId, @Nullable DmaGate gate, String holder,
            boolean messagesOnly) {
        this.memory = memory;
        this.translator = translator;
        this.requesterId = requesterId;
        this.gate = gate;
        this.slot = new ReaderSlot(holder, messagesOnly);
        // All messages of a device go to one or two doorbells, which are looked up as fast as in a cache.
        this.caches = messagesOnly ? null : translator.caches();
        this.cache = caches == null ? null : new TranslationCache();
        join();
    }

    /** All or nothing: who fails to become a reader of both leaves nothing that others would wait for. */
    private void join() {
        memory.readers().add(slot);
        boolean joined = false;
        try {
            translator.join(slot);
            if (caches != null && cache != null) {
                caches.add(cache);
            }
            joined = true;
        } finally {
            if (!joined) {
                part();
            }
        }
    }

    private void part() {
        try {
            translator.part(slot);
        } finally {
            if (caches != null && cache != null) {
                caches.remove(cache);
            }
            memory.readers().remove(slot);
        }
    }

    /**
     * Opens a section.
     *
     * @throws IllegalStateException if one is open already, of this thread or another: sections do not nest, and a
     *         handle serves one thread at a time
     */
    public void enter() {
        if (!slot.enter()) {
            throw alreadyOpen();
        }
        // All that follows loads after the fence of slot.enter, which is what makes the grace periods work.
        extent.clear();
        live = !closed && (gate == null || passes(gate));
        RegionMap now = memory.map();
        if (now != map) {
            map = now;
            lastRegion = null;
        }
    }

    private boolean passes(DmaGate before) {
        long passage = before.passage();
        if (passage == opening) {
            return DmaGate.isOpen(passage);
        }
        opening = DmaGate.opening(passage);
        paused = DmaGate.isPaused(passage);
        return DmaGate.isOpen(passage);
    }

    /**
     * Ends the section and reports the fault that was recorded in it, if any. What an access of this section led to
     * comes out here at the latest: a lock that is given back later, or a file that is written, never meets it.
     *
     * @throws IllegalStateException if no section is open
     * @throws InternalError if memory was touched that a file has no bytes for any more; the section has ended, and a
     *         fault of it is not reported
     */
    public void leave() {
        boolean whole = false;
        try {
            LateErrors.throwNow();
            checkInside();
            whole = true;
        } finally {
            if (!whole) {
                leaveAfterError();
            }
        }
        TranslateResult fault = faultReason;
        if (fault == TranslateResult.OK) {
            leaveQuietly();
            return;
        }
        // Afterwards the handle may be another thread's.
        long iova = faultIova;
        Access access = faultAccess;
        takeFault();
        leaveQuietly();
        report(fault, iova, access);
    }

    private void leaveAfterError() {
        if (slot.inside()) {
            TranslateResult ignored = takeFault();
            leaveQuietly();
        }
    }

    /** Ends this thread's section, and leaves it to the caller to report {@linkplain #takeFault a fault}. */
    void leaveQuietly() {
        // What this section knew is worth nothing in the next, and nothing outside one.
        live = false;
        slot.leave();
    }

    /**
     * A number that moves whenever memory or translation may have changed; what was resolved in an earlier section
     * holds in this one if the number is the same. Inside a section.
     *
     * @return the present value; only equality means something
     */
    public long generation() {
        // Both terms only grow, so the sum is the same only if both are.
        return map.generation() + translator.generation();
    }

    /**
     * Whether the handle was open when the present section began, and the gate before it, if there is one.
     *
     * @return false once {@link #close} was called, or while the {@link DmaGate} is closed; every access then gives
     *         {@link DmaResult#CLOSED}
     */
    public boolean live() {
        return live;
    }

    /**
     * Whether nothing goes through for the time being: the gate was {@linkplain DmaGate#pause paused} when the present
     * section began.
     *
     * @return false where the section is {@link #live}, and where nothing of before is gone on with
     */
    public boolean paused() {
        return !live && !closed && paused;
    }

    /**
     * Which opening of the gate the present section belongs to, or the last one did. What was begun in another opening
     * was cut off meanwhile, and is not to be gone on with.
     *
     * @return a number of which only equality means something; always the same without a gate
     */
    public long opening() {
        return opening;
    }

    /**
     * Whether memory that is missing is missing for good. Inside a section.
     *
     * @return false if the section began while the embedder was exchanging memory, see {@link GuestMemory#unsettle}
     */
    public boolean settled() {
        return map.settled();
    }

    /**
     * Finds the memory behind a buffer, all of it or none. Inside a section.
     *
     * @param iova   I/O-virtual address of the first byte
     * @param length bytes, 0 to {@link #MAX_BYTES}; with 0 nothing is looked at and the cursor is empty
     * @param access what the device will do there
     * @param out    filled when the result is {@link DmaResult#OK}, else empty
     * @return whether the whole buffer may be accessed
     * @throws IllegalArgumentException if {@code length} is out of its range: a device cuts what its guest asks for
     * @throws IllegalStateException if no section is open
     */
    public DmaResult access(long iova, long length, Access access, DmaCursor out) {
        checkLength(length);
        out.clear();
        if (!live) {
            checkInside();
            return DmaResult.CLOSED;
        }
        boolean found = false;
        try {
            DmaResult result = find(iova, length, access, out);
            found = result == DmaResult.OK;
            return result;
        } finally {
            // Also if the translator, which may be anybody's, throws.
            if (!found) {
                out.clear();
            }
        }
    }

    /** Puts the pieces into a cursor that is empty; on a refusal those that came before are left there. */
    private DmaResult find(long iova, long length, Access access, DmaCursor out) {
        long at = iova;
        long left = length;
        while (left > 0) {
            TranslateResult result = lookUp(at, access);
            if (result != TranslateResult.OK) {
                return refuse(result, at, access);
            }
            long physical = extent.physical(at);
            MemoryRegion region = region(physical);
            if (region == null || !region.allows(access) || extent.onlyMessages()) {
                return DmaResult.BUS_ERROR;
            }
            long piece = 1 + min(left - 1, extent.after(at), region.end() - physical);
            out.append(region, physical - region.start(), piece);
            left -= piece;
            at += piece;
            if (at == 0 && left > 0) {
                // The buffer runs over the end of the 64-bit space; no bus has such addresses.
                return DmaResult.BUS_ERROR;
            }
        }
        return DmaResult.OK;
    }

    /**
     * Translates one address without looking at memory. Inside a section. A refusal is reported like that of an access.
     *
     * @param iova   I/O-virtual address
     * @param access what would be done there
     * @param out    receives the extent when the result is {@link TranslateResult#OK}
     * @return what the translator said; {@link TranslateResult#NO_DOMAIN}, which nobody is told of, once the handle was
     *         closed
     * @throws IllegalStateException if no section is open
     */
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        if (!live) {
            checkInside();
            // Nobody waits for a closed handle any more, so it must not look at what may be taken away.
            return TranslateResult.NO_DOMAIN;
        }
        if (gives(iova, access, out)) {
            slot.countCacheHit();
            return TranslateResult.OK;
        }
        TranslateResult result = walk(iova, access);
        if (result == TranslateResult.OK) {
            extent.copyTo(out);
        } else {
            extent.clear();
            record(result, iova, access);
        }
        return result;
    }

    /**
     * Whether the address is known now, and if so, to the sink, too. Whoever asks has got the extent of the time before
     * and hardly ever asks for it again, so that the cache comes first, where there is one.
     */
    private boolean gives(long iova, Access access, ExtentSink out) {
        if (cache != null && cache.find(iova, access, out)) {
            return true;
        }
        if (extent.allows(iova, access)) {
            extent.copyTo(out);
            return true;
        }
        return false;
    }

    /**
     * Copies guest memory out. Inside a section.
     *
     * @param iova     I/O-virtual address of the first byte to read
     * @param to       where to copy to
     * @param toOffset bytes from the start of {@code to}
     * @param length   bytes, 0 to {@link #MAX_BYTES}
     * @return {@link DmaResult#OK} if all was copied; else nothing was
     * @throws IllegalArgumentException as {@link #access}
     * @throws IndexOutOfBoundsException if {@code to} is too short
     */
    public DmaResult read(long iova, MemorySegment to, long toOffset, long length) {
        MemoryRegion region = onePiece(iova, length, Access.READ);
        if (region != null) {
            MemorySegment.copy(region.segment(), extent.physical(iova) - region.start(), to, toOffset, length);
            return DmaResult.OK;
        }
        return readPieces(iova, to, toOffset, length);
    }

    private DmaResult readPieces(long iova, MemorySegment to, long toOffset, long length) {
        DmaResult result = access(iova, length, Access.READ, own);
        long done = toOffset;
        while (own.next()) {
            MemorySegment.copy(own.segment(), own.offset(), to, done, own.length());
            done += own.length();
        }
        return result;
    }

    /**
     * Copies into guest memory. Inside a section.
     *
     * @param iova       I/O-virtual address of the first byte to write
     * @param from       where to copy from
     * @param fromOffset bytes from the start of {@code from}
     * @param length     bytes, 0 to {@link #MAX_BYTES}
     * @return {@link DmaResult#OK} if all was copied; else nothing was
     * @throws IllegalArgumentException as {@link #access}
     * @throws IndexOutOfBoundsException if {@code from} is too short
     */
    public DmaResult write(long iova, MemorySegment from, long fromOffset, long length) {
        MemoryRegion region = onePiece(iova, length, Access.WRITE);
        if (region != null) {
            long offset = extent.physical(iova) - region.start();
            MemorySegment.copy(from, fromOffset, region.segment(), offset, length);
            region.written(offset, length);
            return DmaResult.OK;
        }
        return writePieces(iova, from, fromOffset, length);
    }

    private DmaResult writePieces(long iova, MemorySegment from, long fromOffset, long length) {
        DmaResult result = access(iova, length, Access.WRITE, own);
        long done = fromOffset;
        while (own.next()) {
            MemorySegment.copy(from, done, own.segment(), own.offset(), own.length());
            own.written(own.length());
            done += own.length();
        }
        return result;
    }

    /**
     * Sends a message-signalled interrupt: a 32-bit DMA write that must end in a doorbell region. Outside any section,
     * since the sink is called.
     *
     * @param iova I/O-virtual address of the doorbell, 4-byte aligned or not as the device wishes
     * @param data the 32 bits to write
     * @return {@link DmaResult#OK} when the message was handed over; {@link DmaResult#BUS_ERROR} where there is no
     *         doorbell
     * @throws IllegalStateException if a section is open
     */
    public DmaResult send(long iova, int data) {
        enter();
        DmaResult result;
        MessageSink sink;
        long address;
        try {
            result = findDoorbell(iova);
            sink = doorbell;
            address = doorbellAddress;
        } finally {
            leave();
        }
        deliver(sink, address, data);
        return result;
    }

    /** Finds where a message goes, inside a section: {@link #doorbell} and {@link #doorbellAddress} are set then. */
    DmaResult findDoorbell(long iova) {
        doorbell = null;
        if (!live) {
            return DmaResult.CLOSED;
        }
        TranslateResult translated = lookUp(iova, Access.WRITE);
        if (translated != TranslateResult.OK) {
            return refuse(translated, iova, Access.WRITE);
        }
        doorbellAddress = extent.physical(iova);
        MemoryRegion region = region(doorbellAddress);
        doorbell = region == null ? null : region.doorbell();
        return doorbell == null ? DmaResult.BUS_ERROR : DmaResult.OK;
    }

    @Nullable MessageSink doorbell() {
        return doorbell;
    }

    long doorbellAddress() {
        return doorbellAddress;
    }

    /** Hands a message over; outside any section and under no lock, for the sink is the embedder's. */
    void deliver(@Nullable MessageSink sink, long address, int data) {
        if (sink != null) {
            sink.send(requesterId, address, data);
        }
    }

    /**
     * Ends all use from the next section on, and waits for nothing; {@link #close} must follow. Any thread.
     */
    public void shut() {
        closed = true;
    }

    /**
     * Ends all use: every later access gives {@link DmaResult#CLOSED}, and when this returns, no section of this handle
     * is open that began before. Any thread but the owner inside its section, which would wait for itself.
     */
    @Override
    public void close() {
        closed = true;
        // The flag must be visible before the slot is read, as with anything that is taken away from a reader.
        VarHandle.fullFence();
        // A stall listener may throw when the wait is over, and the translator, too.
        Throwable thrown = FirstFailure.after(null, () -> memory.readers().awaitSlot(slot, CLOSE_LIMIT_NANOS));
        FirstFailure.throwIt(FirstFailure.after(thrown, this::part));
    }

    /**
     * The usual case of a copy: the buffer lies in an extent that is known, and in the region that was used last. Null
     * sends the caller the long way, which finds out everything else.
     */
    private @Nullable MemoryRegion onePiece(long iova, long length, Access access) {
        MemoryRegion region = lastRegion;
        if (region == null || !live || length <= 0 || length > MAX_BYTES || !knows(iova, access)) {
            return null;
        }
        long physical = extent.physical(iova);
        boolean inside = region.holds(physical) && region.allows(access)
                && Long.compareUnsigned(length - 1, region.end() - physical) <= 0
                && Long.compareUnsigned(length - 1, extent.after(iova)) <= 0;
        if (!inside) {
            return null;
        }
        slot.countCacheHit();
        return region;
    }

    /** Sets {@link #extent} if the result is OK; else it is anything, and must be cleared. */
    private TranslateResult lookUp(long iova, Access access) {
        if (knows(iova, access)) {
            slot.countCacheHit();
            return TranslateResult.OK;
        }
        return walk(iova, access);
    }

    /** Whether {@link #extent} holds the address now, from the lookup before or from an earlier section. */
    private boolean knows(long iova, Access access) {
        return extent.allows(iova, access) || (cache != null && cache.find(iova, access, extent));
    }

    private TranslateResult walk(long iova, Access access) {
        // What is not ours to wait for may be taken away at any moment, and the translator does not look for that.
        checkInside();
        slot.countWalk();
        long before = translator.generation();
        TranslateResult result;
        try {
            result = translator.translate(iova, access, extent);
        } catch (RuntimeException | Error thrown) {
            // It may have filled the extent before.
            extent.clear();
            throw thrown;
        }
        if (cache != null && result == TranslateResult.OK && !extent.onlyMessages()) {
            cache.keep(extent);
            if (translator.generation() != before) {
                // Perhaps it was taken away meanwhile, by somebody who did not see it here. This section may use it.
                cache.forget(extent.virtStart(), extent.virtEnd());
            }
        }
        return result;
    }

    private @Nullable MemoryRegion region(long physical) {
        MemoryRegion last = lastRegion;
        if (last != null && last.holds(physical)) {
            return last;
        }
        MemoryRegion found = map.find(physical);
        lastRegion = found;
        return found;
    }

    private DmaResult refuse(TranslateResult reason, long iova, Access access) {
        extent.clear();
        record(reason, iova, access);
        return DmaResult.FAULT;
    }

    private void record(TranslateResult reason, long iova, Access access) {
        if (faultReason == TranslateResult.OK) {
            faultReason = reason;
            faultIova = iova;
            faultAccess = access;
        }
    }

    /** The reason that was recorded since the last call, OK for none. */
    TranslateResult takeFault() {
        TranslateResult reason = faultReason;
        faultReason = TranslateResult.OK;
        return reason;
    }

    /** Tells the translator of a refused access, outside any section and under no lock. */
    void report(TranslateResult reason, long iova, Access access) {
        translator.faulted(reason, iova, access);
    }

    private void checkInside() {
        if (!slot.inside()) {
            throw noSection();
        }
    }

    private IllegalStateException alreadyOpen() {
        return new IllegalStateException("section=open on " + slot.holder() + (slot.inside()
                ? "; leave it before entering again"
                : ", in another thread; one handle serves one thread at a time, so open one for each"));
    }

    private IllegalStateException noSection() {
        return new IllegalStateException("section=none on " + slot.holder()
                + " in this thread; call enter first");
    }

    private static void checkLength(long length) {
        if (length < 0 || length > MAX_BYTES) {
            throw new IllegalArgumentException("length=" + length + ", but one access takes 0 to " + MAX_BYTES
                    + " bytes; cut the transfer into several");
        }
    }

    private static long min(long a, long b, long c) {
        long least = Long.compareUnsigned(a, b) < 0 ? a : b;
        return Long.compareUnsigned(least, c) < 0 ? least : c;
    }
}
