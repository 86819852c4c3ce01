// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.wire.vfiouser.DmaMap;
import org.virtio4j.wire.vfiouser.DmaUnmap;

/**
 * The windows of guest memory that the client has given, each a region of the socket's memory and a part of a {@link
 * MappedFiles mapped file}. A window whose memory cannot be mapped here (a ROM of QEMU has no descriptor) is
 * remembered, so that its unmapping is found in order. It leads nowhere: a device that does DMA there gets a bus error.
 *
 * <p>Unmapping a range takes all windows in it, as in the kernel's VFIO. A range without any window is in order,
 * because QEMU's IOMMU unmaps hundreds of thousands of pages that it never mapped; the answer has the number of bytes
 * that were unmapped, 0 in that case. A range with a part of a window is refused with EINVAL and takes none.
 *
 * <p>Used by the socket's thread alone, except for the counts.
 */
final class DmaWindows {

    /** What the handshake promises, and what the protocol has for a server that promises nothing. */
    static final int MOST = 65_535;

    private static final String NO_PAGES = "the range is not one of whole pages of 4096 bytes below 2^64";

    private static final Duration LIMIT = Duration.ofSeconds(1);

    /** Both ends inclusive; no region where there is no memory. */
    private record Window(long start, long end, @Nullable MemoryRegion region) {
    }

    private final GuestMemory memory;
    private final VfioUserOptions options;
    private final MappedFiles files;
    private final NavigableMap<Long, Window> windows = new TreeMap<>(Long::compareUnsigned);
    private boolean exchanging;
    private volatile int count;

    DmaWindows(GuestMemory memory, VfioUserOptions options) {
        this.memory = memory;
        this.options = options;
        this.files = new MappedFiles(options.sealedMemory());
    }

    /** How many windows there are. Any thread. */
    int count() {
        return count;
    }

    int map(RequestMessage request, ReplyMessage reply) {
        if (request.bodySize() != DmaMap.SIZE || request.u32(DmaMap.ARGSZ) < DmaMap.SIZE
                || request.descriptorCount() > 1 || request.lostDescriptors()) {
            return reply.refuse(Errno.EINVAL, "the message is not laid out as a DMA_MAP with one descriptor or none");
        }
        int flags = request.i32(DmaMap.FLAGS);
        if (flags == 0 || (flags & ~(DmaMap.READABLE | DmaMap.WRITABLE)) != 0) {
            return reply.refuse(Errno.EINVAL, "a window is readable, writable or both, and nothing else");
        }
        long start = request.i64(DmaMap.ADDRESS);
        long size = request.i64(DmaMap.LENGTH);
        long offset = request.i64(DmaMap.OFFSET);
        if (size <= 0 || !arePages(start, size) || offset < 0 || offset % GuestMemory.PAGE_SIZE != 0) {
            return reply.refuse(Errno.EINVAL, NO_PAGES);
        }
        if (overlaps(start, start + (size - 1))) {
            return reply.refuse(Errno.EEXIST, "the window overlaps one that is there; unmap that first");
        }
        if (windows.size() >= MOST) {
            return reply.refuse(Errno.ENOSPC, "there are as many windows as max_dma_maps of the handshake says");
        }
        reply.body(0);
        return add(request, reply, new Window(start, start + (size - 1), null), (flags & DmaMap.WRITABLE) != 0);
    }

    /** Takes away every window in a range, and answers when no device uses any of them and all are unmapped. */
    int unmap(RequestMessage request, ReplyMessage reply) {
        if (request.bodySize() != DmaUnmap.SIZE || request.u32(DmaUnmap.ARGSZ) < DmaUnmap.SIZE) {
            return reply.refuse(Errno.EINVAL, "the message is not laid out as a DMA_UNMAP");
        }
        int flags = request.i32(DmaUnmap.FLAGS);
        long start = request.i64(DmaUnmap.ADDRESS);
        long size = request.i64(DmaUnmap.LENGTH);
        boolean all = flags == DmaUnmap.ALL && start == 0 && size == 0;
        int refused = all ? 0 : refusal(reply, flags, start, size);
        if (refused != 0) {
            return refused;
        }
        long end = all ? -1 : start + (size - 1);
        NavigableMap<Long, Window> inside = windows.subMap(start, true, end, true);
        if (!inside.isEmpty()) {
            exchanging = true;
            memory.beginExchange();
        }
        reply.body(DmaUnmap.SIZE);
        reply.putI32(DmaUnmap.ARGSZ, (int) DmaUnmap.SIZE);
        reply.putI32(DmaUnmap.FLAGS, flags);
        reply.putI64(DmaUnmap.ADDRESS, start);
        reply.putI64(DmaUnmap.LENGTH, remove(inside));
        return 0;
    }

    /** Why a range cannot be unmapped, as an error number; 0 if it can. */
    private int refusal(ReplyMessage reply, int flags, long start, long size) {
        if ((flags & DmaUnmap.DIRTY_BITMAP) != 0) {
            return reply.refuse(Errno.EOPNOTSUPP, "written pages are not logged for a client");
        }
        if (flags != 0) {
            return reply.refuse(Errno.EINVAL, (flags & ~DmaUnmap.ALL) != 0 ? "the message has flags that are not known"
                    : "with the flag for all windows, address and size are 0");
        }
        if (!arePages(start, size)) {
            return reply.refuse(Errno.EINVAL, NO_PAGES);
        }
        return cuts(start, start + (size - 1))
                ? reply.refuse(Errno.EINVAL, "the range has a part of a window; unmap all of it") : 0;
    }

    /**
     * Whether windows were taken away and every command since was about windows. QEMU changes its memory map, for
     * example while firmware sets up shadow RAM, by taking away all that is touched and giving it again in other
     * pieces. Meanwhile a ring may be missing that is not meant to be taken away.
     */
    boolean exchanging() {
        return exchanging;
    }

    /** Ends an exchange: memory that is missing now stays missing. */
    void endExchange() {
        exchanging = false;
        memory.endExchange();
    }

    /** Takes all windows away. */
    void clear() {
        remove(windows);
    }

    private int add(RequestMessage request, ReplyMessage reply, Window window, boolean writable) {
        try {
            MemoryRegion region = region(request, window, writable);
            windows.put(window.start, new Window(window.start, window.end, region));
            count = windows.size();
            return 0;
        } catch (RefusedException refused) {
            return reply.refuse(refused.errno(), refused.reason());
        } catch (NativeFailureException refused) {
            return reply.refuse(refused.errno(), "the memory cannot be mapped: " + refused.getMessage()
                    + "; share RAM as memory or as a file (memory-backend-memfd with share=on)");
        } catch (IOException refused) {
            return reply.refuse(Errno.EIO, "the memory cannot be opened or mapped: " + refused);
        } catch (IllegalArgumentException refused) {
            // The file was cut short after its size was read.
            return reply.refuse(Errno.EINVAL, "the memory is not as the message says: " + refused.getMessage());
        }
    }

    private @Nullable MemoryRegion region(RequestMessage request, Window window, boolean writable) throws IOException {
        long offset = request.i64(DmaMap.OFFSET);
        long size = request.i64(DmaMap.LENGTH);
        MappedFiles.Mapping mapping = mapping(request, offset, size, writable);
        if (mapping == null) {
            return null;
        }
        MemorySegment part = mapping.part(offset, size);
        try {
            return writable ? memory.add(window.start, part, RegionKind.RAM, mapping::release)
                    : memory.add(window.start, part.asReadOnly(), RegionKind.ROM, mapping::release);
        } catch (RuntimeException | Error refused) {
            mapping.release();
            throw refused;
        }
    }

    private MappedFiles.@Nullable Mapping mapping(RequestMessage request, long offset, long size, boolean writable)
            throws IOException {
        Descriptor descriptor = request.descriptor();
        Path file = options.memoryFile().orElse(null);
        boolean ofFile = file != null
                && (descriptor == null ? !options.descriptors() && writable : descriptor.isOf(file));
        if (ofFile && file != null) {
            return files.of(file, offset, size);
        }
        return descriptor == null ? null : files.of(descriptor, offset, size, writable);
    }

    /** Takes windows away, with one wait for all. Returns how many bytes they had. */
    private long remove(NavigableMap<Long, Window> some) {
        List<MemoryRegion> regions = new ArrayList<>();
        long bytes = 0;
        for (Window window : some.values()) {
            bytes += window.end - window.start + 1;
            if (window.region != null) {
                regions.add(window.region);
            }
        }
        some.clear();
        count = windows.size();
        memory.remove(regions, LIMIT);
        return bytes;
    }

    /** Whether a window lies partly in a range. */
    private boolean cuts(long start, long end) {
        Map.Entry<Long, Window> first = windows.lowerEntry(start);
        Map.Entry<Long, Window> last = windows.floorEntry(end);
        return (first != null && Long.compareUnsigned(first.getValue().end, start) >= 0)
                || (last != null && Long.compareUnsigned(last.getValue().end, end) > 0);
    }

    private boolean overlaps(long start, long end) {
        Map.Entry<Long, Window> before = windows.floorEntry(end);
        return before != null && Long.compareUnsigned(before.getValue().end, start) >= 0;
    }

    private static boolean arePages(long start, long size) {
        return size != 0 && start % GuestMemory.PAGE_SIZE == 0 && size % GuestMemory.PAGE_SIZE == 0
                && Long.compareUnsigned(start + (size - 1), start) > 0;
    }
}
