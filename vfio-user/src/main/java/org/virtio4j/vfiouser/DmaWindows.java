// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.vmm.os.Descriptor;
import org.virtio4j.vmm.os.Errno;
import org.virtio4j.vmm.os.NativeFailureException;
import org.virtio4j.vmm.os.NativeMemory;
import org.virtio4j.wire.vfiouser.DmaMap;
import org.virtio4j.wire.vfiouser.DmaUnmap;

/**
 * The windows of guest memory that the client has given, each a region of the socket's memory. A window whose memory we
 * cannot get at (a ROM of QEMU's has no descriptor) is remembered, for its unmapping to be found in order, but leads
 * nowhere: a device that does DMA there gets a bus error.
 *
 * <p>Used by the socket's thread alone, but for the counts.
 */
final class DmaWindows {

    /** What QEMU says it will not exceed. */
    static final int MOST = 65_535;

    /** The system lets a process have some 65,000 mappings in all, and other machines want some too. */
    static final int MOST_MAPPED = 4096;

    /** 16 TiB: a process has 128 TiB of addresses for all its machines, and for itself. */
    static final long MOST_BYTES_MAPPED = 1L << 44;

    private static final Duration LIMIT = Duration.ofSeconds(1);

    /** Both ends inclusive; no region where there is no memory. */
    private record Window(long start, long end, @Nullable MemoryRegion region) {
    }

    private final GuestMemory memory;
    private final VfioUserOptions options;
    private final NavigableMap<Long, Window> windows = new TreeMap<>(Long::compareUnsigned);
    private int mapped;
    private long mappedBytes;
    private boolean exchanging;
    private volatile int count;

    DmaWindows(GuestMemory memory, VfioUserOptions options) {
        this.memory = memory;
        this.options = options;
    }

    /** How many windows there are. Any thread. */
    int count() {
        return count;
    }

    int map(Request request, Reply reply) {
        if (request.bodySize() != DmaMap.SIZE || request.u32(DmaMap.ARGSZ) < DmaMap.SIZE
                || request.descriptorCount() > 1 || request.lostDescriptors()) {
            return Errno.EINVAL;
        }
        int flags = request.i32(DmaMap.FLAGS);
        long start = request.i64(DmaMap.ADDRESS);
        long size = request.i64(DmaMap.LENGTH);
        if (flags == 0 || (flags & ~(DmaMap.READABLE | DmaMap.WRITABLE)) != 0 || !arePages(start, size)
                || request.i64(DmaMap.OFFSET) < 0) {
            return Errno.EINVAL;
        }
        if (overlaps(start, start + (size - 1))) {
            return Errno.EEXIST;
        }
        if (windows.size() >= MOST || mapped >= MOST_MAPPED || size > MOST_BYTES_MAPPED - mappedBytes) {
            return Errno.ENOSPC;
        }
        reply.body(0);
        return add(request, start, size, (flags & DmaMap.WRITABLE) != 0);
    }

    /** Takes away every window in a range, and answers when no device uses any of them and all are unmapped. */
    int unmap(Request request, Reply reply) {
        if (request.bodySize() != DmaUnmap.SIZE || request.u32(DmaUnmap.ARGSZ) < DmaUnmap.SIZE) {
            return Errno.EINVAL;
        }
        int flags = request.i32(DmaUnmap.FLAGS);
        long start = request.i64(DmaUnmap.ADDRESS);
        long size = request.i64(DmaUnmap.LENGTH);
        if ((flags & DmaUnmap.DIRTY_BITMAP) != 0) {
            return Errno.EOPNOTSUPP;
        }
        exchanging = true;
        memory.unsettle();
        reply.body(DmaUnmap.SIZE);
        reply.putI32(DmaUnmap.ARGSZ, (int) DmaUnmap.SIZE);
        reply.putI32(DmaUnmap.FLAGS, flags);
        reply.putI64(DmaUnmap.ADDRESS, start);
        reply.putI64(DmaUnmap.LENGTH, size);
        if (flags == DmaUnmap.ALL && start == 0 && size == 0) {
            clear();
            return 0;
        }
        return flags == 0 && arePages(start, size) ? remove(start, start + (size - 1)) : Errno.EINVAL;
    }

    /**
     * Whether windows were taken away and nothing but windows was spoken of since. QEMU changes its memory map, while
     * firmware sets up shadow RAM for one, by taking away all that is touched and giving it again in other pieces;
     * meanwhile a ring may be gone that nobody meant to take away.
     */
    boolean exchanging() {
        return exchanging;
    }

    /** Ends an exchange: what is missing now is missing. */
    void settle() {
        exchanging = false;
        memory.settle();
    }

    /** Takes all windows away. */
    void clear() {
        while (!windows.isEmpty()) {
            release(windows.pollFirstEntry().getValue());
        }
    }

    private int add(Request request, long start, long size, boolean writable) {
        try {
            MemoryRegion region = region(request, start, size, writable);
            windows.put(start, new Window(start, start + (size - 1), region));
            count = windows.size();
            if (region != null) {
                mapped++;
                mappedBytes += size;
            }
            return 0;
        } catch (NativeFailureException refused) {
            return refused.errno();
        } catch (IOException refused) {
            return Errno.EIO;
        } catch (IllegalArgumentException refused) {
            // The descriptor or the file does not have what the client says it has.
            return Errno.EINVAL;
        }
    }

    private @Nullable MemoryRegion region(Request request, long start, long size, boolean writable)
            throws IOException {
        Descriptor descriptor = request.descriptor();
        Path file = options.memoryFile().orElse(null);
        long offset = request.i64(DmaMap.OFFSET);
        boolean ofFile = file != null
                && (descriptor == null ? !options.descriptors() && writable : descriptor.isOf(file));
        if (ofFile && file != null) {
            return memory.addFile(start, file, offset, size);
        }
        return descriptor == null ? null : share(descriptor, offset, start, size, writable);
    }

    /**
     * Maps memory of which nobody can take away a part again. If somebody could, touching it would end this process.
     */
    private MemoryRegion share(Descriptor descriptor, long offset, long start, long size, boolean writable)
            throws IOException {
        if (!descriptor.isSealedAgainstShrinking()) {
            throw new IllegalArgumentException("descriptor lacks F_SEAL_SHRINK");
        }
        if (size > descriptor.size() - offset) {
            throw new IllegalArgumentException("descriptor is shorter than offset=" + offset + " size=" + size);
        }
        Arena arena = Arena.ofShared();
        try {
            MemorySegment segment = NativeMemory.mapShared(descriptor, offset, size, writable, arena);
            return memory.add(start, segment, writable ? RegionKind.RAM : RegionKind.ROM, arena::close);
        } catch (IOException | RuntimeException refused) {
            arena.close();
            throw refused;
        }
    }

    /** All windows that lie in the range; none if one lies only partly in it, or there is none. */
    private int remove(long start, long end) {
        List<Window> inside = new ArrayList<>();
        Map.Entry<Long, Window> at = windows.floorEntry(start);
        if (at == null || Long.compareUnsigned(at.getValue().end, start) < 0) {
            at = windows.higherEntry(start);
        }
        while (at != null && Long.compareUnsigned(at.getKey(), end) <= 0) {
            Window window = at.getValue();
            if (Long.compareUnsigned(window.start, start) < 0 || Long.compareUnsigned(window.end, end) > 0) {
                return Errno.EINVAL;
            }
            inside.add(window);
            at = windows.higherEntry(at.getKey());
        }
        for (Window window : inside) {
            windows.remove(window.start);
            release(window);
        }
        return inside.isEmpty() ? Errno.ENOENT : 0;
    }

    private void release(Window window) {
        count = windows.size();
        if (window.region != null) {
            mapped--;
            mappedBytes -= window.region.size();
            memory.remove(window.region, LIMIT);
        }
    }

    private boolean overlaps(long start, long end) {
        Map.Entry<Long, Window> before = windows.floorEntry(end);
        return before != null && Long.compareUnsigned(before.getValue().end, start) >= 0;
    }

    private static boolean arePages(long start, long size) {
        return size > 0 && start % GuestMemory.PAGE_SIZE == 0 && size % GuestMemory.PAGE_SIZE == 0
                && Long.compareUnsigned(start + (size - 1), start) > 0;
    }
}
