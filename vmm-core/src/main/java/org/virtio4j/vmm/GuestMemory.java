// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.vmm.grace.StallListener;

/**
 * A guest's physical memory as one device, or one machine, sees it: a stable handle on an immutable {@link RegionMap}.
 *
 * <p>A change publishes a new map. Removing a region then waits until no device is inside a section that may use it,
 * and only after that gives the memory back. Adding, removing and closing may be called from any thread, but not inside
 * a section of a {@code DmaHandle}. Devices reach the memory through a {@code DmaSpace} alone.
 */
public final class GuestMemory implements AutoCloseable {

    /**
     * Regions of RAM and ROM begin and end at multiples of this many bytes, so that no field of a ring ever lies half
     * in one region and half in another.
     */
    public static final long PAGE_SIZE = 4096;

    /** The strictest alignment of the specification, that of a descriptor table (virtio 1.4, section 2.7). */
    private static final long SEGMENT_ALIGNMENT = 16;

    /** Never started. */
    private static final Thread ANY_OTHER_THREAD = new Thread(() -> { });

    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final GracePeriods gracePeriods;
    private final DirtyLog dirtyLog = new DirtyLog(this);
    private volatile RegionMap map = RegionMap.EMPTY;

    /** Empty memory whose long waits are only counted, see {@link GracePeriods#stalls()}. */
    public GuestMemory() {
        this((holder, waitedNanos) -> { });
    }

    /**
     * Empty memory.
     *
     * @param listener hears when removing a region waits longer than its limit
     */
    public GuestMemory(StallListener listener) {
        this.gracePeriods = new GracePeriods(listener);
    }

    /**
     * Memory with one anonymous RAM region. Nothing is committed until it is touched.
     *
     * @param gpa  guest-physical address of its first byte
     * @param size bytes, more than 0
     * @return the memory; closing it gives the region back
     */
    public static GuestMemory anonymous(long gpa, long size) {
        GuestMemory memory = new GuestMemory();
        memory.addAnonymous(gpa, size);
        return memory;
    }

    /**
     * The present regions.
     *
     * @return an immutable map; its segments stay valid only while their regions are not removed
     */
    public RegionMap map() {
        return map;
    }

    /**
     * Adds memory that the embedder holds.
     *
     * @param gpa        guest-physical address of its first byte
     * @param segment    native or mapped memory, shared between threads, at an address that is a multiple of 16
     * @param kind       RAM or ROM
     * @param onReleased runs once, after the region was removed and nobody uses the segment any more
     * @return the region, to remove it by
     * @throws IllegalArgumentException if the segment is empty, closed, on the heap, misaligned, confined to one thread
     *         or read-only RAM; if the region is not made of whole pages, wraps around the 64-bit space or overlaps
     *         another, or if {@code kind} is DOORBELL
     */
    public MemoryRegion add(long gpa, MemorySegment segment, RegionKind kind, Runnable onReleased) {
        Objects.requireNonNull(onReleased, "onReleased=null; give a Runnable that does nothing");
        checkSegment(segment, Objects.requireNonNull(kind, "kind=null; give RAM or ROM"));
        checkRange(gpa, segment.byteSize());
        checkPages(gpa, segment.byteSize());
        return publish(new MemoryRegion(gpa, segment, kind, onReleased));
    }

    /**
     * Adds RAM that this library allocates, and frees when the region is removed.
     *
     * @param gpa  guest-physical address of its first byte
     * @param size bytes, more than 0
     * @return the region
     * @throws IllegalArgumentException as {@link #add}
     * @throws OutOfMemoryError if the operating system refuses, with its reason
     */
    public MemoryRegion addAnonymous(long gpa, long size) {
        checkRange(gpa, size);
        checkPages(gpa, size);
        return addOwned(gpa, HostMemory.anonymous(size));
    }

    /**
     * Adds a part of a file as RAM that any other process may map too; unmapped when the region is removed.
     *
     * @param gpa        guest-physical address of its first byte
     * @param file       a file that is at least {@code fileOffset + size} bytes long and stays so
     * @param fileOffset where in the file the region begins, in bytes, a multiple of {@link #PAGE_SIZE}
     * @param size       bytes, more than 0
     * @return the region
     * @throws IOException if the file cannot be opened or mapped
     * @throws IllegalArgumentException as {@link #add}, and if the file is too short
     */
    public MemoryRegion addFile(long gpa, Path file, long fileOffset, long size) throws IOException {
        checkRange(gpa, size);
        checkPages(gpa, size);
        if (fileOffset < 0 || fileOffset % PAGE_SIZE != 0) {
            throw new IllegalArgumentException("fileOffset=" + fileOffset
                    + ", but a region begins at a multiple of " + PAGE_SIZE + " bytes of its file");
        }
        return addOwned(gpa, HostMemory.file(file, fileOffset, size));
    }

    /**
     * Adds a window where a write is an interrupt message.
     *
     * @param gpa  guest-physical address of its first byte, 0xfee00000 on x86
     * @param size bytes, more than 0
     * @param sink receives the messages, see {@code DmaHandle.send}
     * @return the region
     * @throws IllegalArgumentException if the range wraps or overlaps another region
     */
    public MemoryRegion addDoorbell(long gpa, long size, MessageSink sink) {
        checkRange(gpa, size);
        return publish(new MemoryRegion(gpa, size, Objects.requireNonNull(sink, "sink=null; give a MessageSink")));
    }

    /**
     * Removes a region, waits until no section can be using it, and releases it. Not to be called inside a section. The
     * marks of its pages in the {@link DirtyLog} are lost with it. If memory is taken away during a migration and comes
     * back, stop the devices and harvest first.
     *
     * @param region a region of this memory
     * @param limit  how long to wait before the {@link StallListener} is told; the wait goes on
     * @throws IllegalArgumentException if the region is not part of this memory
     */
    public void remove(MemoryRegion region, Duration limit) {
        remove(List.of(region), limit);
    }

    /**
     * Removes regions, all at one moment and with one wait for all. Not to be called inside a section.
     *
     * @param regions regions of this memory, each once
     * @param limit   as in {@link #remove(MemoryRegion, Duration)}
     * @throws IllegalArgumentException if one is not part of this memory; none is removed then
     */
    public void remove(List<MemoryRegion> regions, Duration limit) {
        // Before anything changes: a limit that cannot be counted must not leave a region gone but never released.
        long limitNanos = limit.toNanos();
        lock.lock();
        try {
            RegionMap next = map;
            for (MemoryRegion region : regions) {
                next = next.without(region);
            }
            map = next;
        } finally {
            lock.unlock();
        }
        awaitAndRelease(regions, limitNanos);
    }

    /**
     * Begins an exchange of memory: what is removed from now on may be back in a moment. A hypervisor does so when
     * firmware turns a part of RAM into ROM: it removes the whole region and adds it again in pieces. Until {@link
     * #endExchange}, a device that finds its ring gone does not blame the driver, and looks again when it is kicked.
     */
    public void beginExchange() {
        complete(false);
    }

    /**
     * Ends an exchange of memory: what is missing now stays missing. Afterwards the caller kicks the queues of the
     * devices, because kicks that came meanwhile may have found no ring.
     */
    public void endExchange() {
        complete(true);
    }

    private void complete(boolean now) {
        lock.lock();
        try {
            map = map.withComplete(now);
        } finally {
            lock.unlock();
        }
    }

    /**
     * The log of pages that devices have written.
     *
     * @return the one log of this memory, not started
     */
    public DirtyLog dirtyLog() {
        return dirtyLog;
    }

    /**
     * The readers of this memory, the waits for them, and how often such a wait took too long.
     *
     * @return the readers of every handle opened on this memory
     */
    public GracePeriods gracePeriods() {
        return gracePeriods;
    }

    /** Removes every region, as {@link #remove(List, Duration)} does. */
    @Override
    public void close() {
        List<MemoryRegion> last = new ArrayList<>();
        lock.lock();
        try {
            for (int i = 0; i < map.count(); i++) {
                last.add(map.region(i));
            }
            map = map.cleared();
        } finally {
            lock.unlock();
        }
        awaitAndRelease(last, CLOSE_LIMIT.toNanos());
    }

    /** Changes the log under the lock and waits until no section still writes by the old setting. */
    void changeDirtyLog(int pageShift) {
        lock.lock();
        try {
            dirtyLog.change(map, pageShift);
        } finally {
            lock.unlock();
        }
        gracePeriods.awaitAll(CLOSE_LIMIT);
    }

    private MemoryRegion addOwned(long gpa, HostMemory owned) {
        try {
            return publish(new MemoryRegion(gpa, owned.segment(), RegionKind.RAM, owned::close));
        } catch (RuntimeException | Error refused) {
            owned.close();
            throw refused;
        }
    }

    private MemoryRegion publish(MemoryRegion region) {
        lock.lock();
        try {
            RegionMap next = map.with(region);
            dirtyLog.equip(region);
            map = next;
            return region;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until nobody can use regions that are gone, and releases all of them. An exception of the listener, or of
     * what runs at a region's end, comes out afterwards.
     */
    private void awaitAndRelease(List<MemoryRegion> regions, long limitNanos) {
        FirstFailure failure = new FirstFailure();
        failure.run(() -> gracePeriods.awaitAll(limitNanos));
        regions.forEach(region -> failure.run(region::released));
        failure.rethrow();
    }

    private static void checkSegment(MemorySegment segment, RegionKind kind) {
        if (kind == RegionKind.DOORBELL) {
            throw new IllegalArgumentException("kind=DOORBELL has no memory; use addDoorbell");
        }
        if (!segment.scope().isAlive()) {
            throw new IllegalArgumentException("segment=" + segment
                    + " is closed; keep its arena open until onReleased has run");
        }
        if (!segment.isNative()) {
            throw new IllegalArgumentException("segment=" + segment + " lies on the heap; guest memory must be native");
        }
        if (kind == RegionKind.RAM && segment.isReadOnly()) {
            throw new IllegalArgumentException("segment=" + segment + " is read-only; add it as ROM");
        }
        if (segment.address() % SEGMENT_ALIGNMENT != 0) {
            throw new IllegalArgumentException("segment=" + segment
                    + " is misaligned; its address must be a multiple of " + SEGMENT_ALIGNMENT);
        }
        if (!segment.isAccessibleBy(ANY_OTHER_THREAD)) {
            throw new IllegalArgumentException("segment=" + segment
                    + " is confined to one thread; allocate it from Arena.ofShared()");
        }
    }

    private static void checkPages(long gpa, long size) {
        if (gpa % PAGE_SIZE != 0 || size % PAGE_SIZE != 0) {
            throw new IllegalArgumentException("gpa=0x" + Long.toHexString(gpa) + " size=" + size
                    + ", but a region is made of whole pages of " + PAGE_SIZE + " bytes");
        }
    }

    private static void checkRange(long gpa, long size) {
        if (size <= 0) {
            throw new IllegalArgumentException("size=" + size + ", but a region has at least one byte");
        }
        if (Long.compareUnsigned(gpa + (size - 1), gpa) < 0) {
            throw new IllegalArgumentException("gpa=0x" + Long.toHexString(gpa) + " size=" + size
                    + " reaches past the end of the 64-bit address space");
        }
    }
}
