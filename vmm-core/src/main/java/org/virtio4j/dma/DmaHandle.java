// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.AddressLookup;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.LastTranslation;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionMap;
import org.virtio4j.vmm.grace.ReaderSection;

/**
 * One user's door into a {@link DmaSpace}. Opened at set-up and owned by one thread at a time; handing it to another
 * thread needs a happens-before edge, as any plain object does. Only {@link #close} may be called from any thread.
 *
 * <p>Guest memory is reached inside a <em>section</em>, between {@link #enter} and {@link #leave}: translate, copy at
 * most {@link #MAX_BYTES}, and go. No blocking, no lock and no callback belongs inside, because the removal of a
 * mapping or a region waits for the section to end. Entering costs about as much as a full fence, so open a section for
 * a chain or a batch, not for each byte.
 *
 * <p>If two threads use one handle at once, {@link #enter} refuses the second, and nothing of the first one's section
 * changes. {@link #leave}, and every look-up that asks the translator, refuse a thread that did not enter.
 *
 * <p>A refused access is only recorded inside the section; {@link #leave} reports it, at most one per section. No
 * method allocates, except {@link DmaSpace#open}, and a cursor that grows once.
 *
 * <p>Memory that another process cuts short while it is used leads to an {@link InternalError}, thrown by the access or
 * by a call that follows, at the latest by {@link #leave}. So leave each section in a {@code finally}, and use nothing
 * of what was read before that. The loop that serves queues drops it, and the device then needs a reset.
 */
public final class DmaHandle implements AutoCloseable {

    /** The most bytes one {@link #access} may ask for, 64 KiB, so that a section stays short. */
    public static final long MAX_BYTES = 65_536;

    private static final long CLOSE_LIMIT_NANOS = 1_000_000_000;

    /** The opening of a handle that no gate stands before: odd, as those of an open gate. */
    private static final long UNGATED = 1;

    private final GuestMemory memory;
    private final @Nullable DmaGate gate;
    private final ReaderSection section;
    private final AddressLookup lookup;

    /** What {@link #lookup} found last. */
    private final LastTranslation last;
    private final MessageDelivery delivery;
    private final DmaCursor own = new DmaCursor();

    /** Set by {@link #close}, maybe on another thread; sampled once a section, after the fence. */
    private volatile boolean closed;

    private RegionMap map;
    private @Nullable MemoryRegion lastRegion;
    private boolean live;

    /** The gate's passage at the start of the section; see {@link DmaGate#passage}. */
    private long opening = UNGATED;

    /** Only where the section is not live. */
    private boolean paused;

    DmaHandle(GuestMemory memory, Translator translator, int requesterId, @Nullable DmaGate gate, String holder,
            boolean messagesOnly) {
        this.memory = memory;
        this.gate = gate;
        this.map = memory.map();
        this.section = new ReaderSection(holder, messagesOnly);
        this.lookup = new AddressLookup(translator, section);
        this.last = lookup.last();
        this.delivery = new MessageDelivery(this, lookup, requesterId);
        join();
    }

    /** All or nothing: a handle that fails to become a reader of both leaves nothing that others would wait for. */
    private void join() {
        memory.gracePeriods().add(section);
        boolean joined = false;
        try {
            lookup.join();
            joined = true;
        } finally {
            if (!joined) {
                part();
            }
        }
    }

    private void part() {
        try {
            lookup.part();
        } finally {
            memory.gracePeriods().remove(section);
        }
    }

    /**
     * Opens a section.
     *
     * @throws IllegalStateException if one is open already, of this thread or another: sections do not nest, and a
     *         handle serves one thread at a time
     */
    public void enter() {
        if (!section.enter()) {
            throw section.alreadyOpen();
        }
        // All that follows loads after the fence of section.enter, which is what makes the grace periods work.
        last.clear();
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
     * comes out here at the latest: code that releases a lock or writes a file afterwards is safe from it.
     *
     * @throws IllegalStateException if no section is open
     * @throws InternalError if memory was touched that a file has no bytes for any more; the section has ended, and a
     *         fault of it is not reported
     */
    public void leave() {
        boolean whole = false;
        try {
            LateErrors.throwNow();
            section.checkInside();
            whole = true;
        } finally {
            if (!whole) {
                leaveAfterError();
            }
        }
        TranslateResult fault = lookup.takeFault();
        if (fault == TranslateResult.OK) {
            leaveQuietly();
            return;
        }
        // Afterwards the handle may be another thread's.
        long iova = lookup.faultIova();
        Access access = lookup.faultAccess();
        leaveQuietly();
        lookup.report(fault, iova, access);
    }

    private void leaveAfterError() {
        if (section.inside()) {
            TranslateResult ignored = lookup.takeFault();
            leaveQuietly();
        }
    }

    /** Ends this thread's section. Its caller reports {@linkplain AddressLookup#takeFault the fault}, if any. */
    void leaveQuietly() {
        // What this section knew must not be used in the next one, nor outside of one.
        live = false;
        section.leave();
    }

    /**
     * A number that moves whenever memory or translation may have changed; what was resolved in an earlier section
     * holds in this one if the number is the same. Inside a section.
     *
     * @return the present value; only equality means something
     */
    public long generation() {
        // Both terms only grow, so the sum is the same only if both are.
        return map.generation() + lookup.generation();
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
     * @return false where the section is {@link #live}, and where earlier work is not continued
     */
    public boolean paused() {
        return !live && !closed && paused;
    }

    /**
     * Which opening of the gate the present section belongs to, or the last one did. Work that was begun in another
     * opening was cut off meanwhile, and must not be continued.
     *
     * @return a number of which only equality means something; always the same without a gate
     */
    public long opening() {
        return opening;
    }

    /**
     * Whether memory that is missing is missing for good. Inside a section.
     *
     * @return false if the section began while the embedder was exchanging memory, see {@link
     *         GuestMemory#beginExchange}
     */
    public boolean memoryComplete() {
        return map.complete();
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
            section.checkInside();
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
            TranslateResult result = lookup.find(at, access);
            if (result != TranslateResult.OK) {
                lookup.refuse(result, at, access);
                return DmaResult.FAULT;
            }
            long gpa = last.gpa(at);
            MemoryRegion region = region(gpa);
            if (region == null || !region.allows(access) || last.onlyMessages()) {
                return DmaResult.BUS_ERROR;
            }
            long piece = 1 + min(left - 1, last.after(at), region.end() - gpa);
            out.append(region, gpa - region.start(), piece);
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
     * @return what the translator said; {@link TranslateResult#NO_DOMAIN}, which is not reported, once the handle was
     *         closed
     * @throws IllegalStateException if no section is open
     */
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        if (!live) {
            section.checkInside();
            // Nobody waits for a closed handle any more, so it must not look at what may be taken away.
            return TranslateResult.NO_DOMAIN;
        }
        return lookup.translate(iova, access, out);
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
            MemorySegment.copy(region.segment(), last.gpa(iova) - region.start(), to, toOffset, length);
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
            long offset = last.gpa(iova) - region.start();
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
        return delivery.send(iova, data);
    }

    MessageDelivery delivery() {
        return delivery;
    }

    /** Ends all use from the next section on, and waits for nothing; {@link #close} must follow. Any thread. */
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
        Throwable thrown = FirstFailure.after(null, () -> memory.gracePeriods().awaitSlot(section, CLOSE_LIMIT_NANOS));
        FirstFailure.throwIt(FirstFailure.after(thrown, this::part));
    }

    /**
     * The usual case of a copy: the buffer lies in an extent that is known, and in the region that was used last. Null
     * sends the caller the long way, which finds out everything else.
     */
    private @Nullable MemoryRegion onePiece(long iova, long length, Access access) {
        MemoryRegion region = lastRegion;
        if (region == null || !live || length <= 0 || length > MAX_BYTES || !lookup.knows(iova, access)) {
            return null;
        }
        long gpa = last.gpa(iova);
        boolean inside = region.holds(gpa) && region.allows(access)
                && Long.compareUnsigned(length - 1, region.end() - gpa) <= 0
                && Long.compareUnsigned(length - 1, last.after(iova)) <= 0;
        if (!inside) {
            return null;
        }
        section.countCacheHit();
        return region;
    }

    /** The region that holds a guest-physical address, in the map of this section. */
    @Nullable MemoryRegion region(long gpa) {
        MemoryRegion before = lastRegion;
        if (before != null && before.holds(gpa)) {
            return before;
        }
        MemoryRegion found = map.find(gpa);
        lastRegion = found;
        return found;
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
