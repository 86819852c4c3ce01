// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.os.Errno;
import org.virtio4j.vfiohost.MirroredPieces.Piece;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionMap;
import org.virtio4j.wire.iommu.MapRequest;

/**
 * Puts the mappings of an IOMMU into containers of VFIO, so that the host's IOMMU gives the same to the devices in
 * there. Several containers of one mirror always have the same mappings. All endpoints that it is joined for are in one
 * domain, or in none.
 *
 * <p>A mapping becomes one mapping of the host for each region of RAM or ROM that it leads to. Parts that lead to no
 * memory (a doorbell, registers, nothing) and mappings with the MMIO flag are left out and counted: devices do not
 * reach them. RAM is pinned while it is mapped. A driver gets NOMEM when this process may pin no more memory
 * ({@code RLIMIT_MEMLOCK}), and when a container has as many mappings as it may ({@code dma_entry_limit} of {@code
 * vfio_iommu_type1}, 65,535 unless set). Every other refusal is a DEVERR, and {@link #lastFailure} says why.
 *
 * <p>A device that is attached to nothing, or to a domain in bypass, reaches nothing through a mirror, because nothing
 * is mapped for it. An ATTACH to a domain in bypass gets UNSUPP.
 *
 * <p><b>Memory that is removed</b> stays pinned, and devices go on reaching what they reached; nobody else gets these
 * pages meanwhile. Call {@link #withdraw} before {@link GuestMemory#remove}. Memory that is added is mirrored for
 * mappings that are made later. For older ones, let the mirror leave the IOMMU and join it again.
 *
 * <p>{@link #withdraw} and the questions may be called from any thread.
 */
public final class VfioMirror implements MappingListener, AutoCloseable {

    private static final long HALF = 1L << 63;

    /** Taken under the control lock of an IOMMU; under it nothing is taken but the locks of containers. */
    private final ReentrantLock lock = new ReentrantLock();
    private final GuestMemory memory;
    private final HostIommu[] hosts;
    private final long pageSizeMask;
    private final MirroredPieces pieces = new MirroredPieces();
    private final Set<MemoryRegion> withdrawn = Collections.newSetFromMap(new WeakHashMap<>());

    /** Keeps memory from being unmapped between the look at the map and the end of the system's call, which pins it. */
    private final DmaHandle section;

    private long unmirrored;
    private long refusals;
    private @Nullable VfioFailure failure;
    private boolean cutOff;
    private boolean closed;

    VfioMirror(GuestMemory memory, HostIommu... hosts) {
        this.memory = memory;
        this.hosts = hosts.clone();
        this.pageSizeMask = pageSizes(this.hosts);
        this.section = DmaSpace.identity(memory).open("VFIO mirror");
    }

    /**
     * A mirror, to be joined to an IOMMU.
     *
     * @param memory     what the guest's addresses mean
     * @param containers where to mirror; each has its devices
     * @return to be closed after it has left the IOMMU
     * @throws IllegalArgumentException if there is no container, or the containers have no size of pages in common
     */
    public static VfioMirror of(GuestMemory memory, VfioContainer... containers) {
        HostIommu[] hosts = new HostIommu[containers.length];
        Arrays.setAll(hosts, i -> containers[i].host());
        return new VfioMirror(Objects.requireNonNull(memory, "memory=null; give the guest's memory"), hosts);
    }

    private static long pageSizes(HostIommu[] hosts) {
        long common = -1;
        for (HostIommu host : hosts) {
            common &= host.pageSizeMask();
        }
        if (hosts.length == 0 || common == 0) {
            throw new IllegalArgumentException("containers=" + hosts.length
                    + " without a size of pages that all have; give at least one, and others a mirror of their own");
        }
        return common;
    }

    @Override
    public long pageSizeMask() {
        return pageSizeMask;
    }

    @Override
    public boolean holdsOneDomain() {
        return true;
    }

    @Override
    public Answer attach(int endpoint, int domain, boolean bypass) {
        if (bypass) {
            return Answer.UNSUPPORTED;
        }
        lock.lock();
        try {
            return cutOff || closed ? Answer.FAILED : Answer.DONE;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void detached(int endpoint, int domain) {
        // The last one's mappings have been removed before.
    }

    @Override
    public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        lock.lock();
        try {
            if (cutOff || closed) {
                return Answer.FAILED;
            }
            if ((flags & MapRequest.FLAG_MMIO) != 0) {
                unmirrored++;
                return Answer.DONE;
            }
            return mirrorWhole(virtStart, virtEnd, physStart, flags);
        } finally {
            lock.unlock();
        }
    }

    /** In a section, so that no memory is unmapped from this process before the host has pinned it. */
    private Answer mirrorWhole(long virtStart, long virtEnd, long physStart, int flags) {
        section.enter();
        try {
            Answer answer = mirror(virtStart, virtEnd, physStart, flags);
            if (answer != Answer.DONE) {
                refusals++;
                if (remove(virtStart, virtEnd) != Answer.DONE) {
                    cutOffAll();
                }
            }
            return answer;
        } finally {
            section.leave();
        }
    }

    @Override
    public Answer unmap(int domain, long virtStart, long virtEnd) {
        lock.lock();
        try {
            return cutOff ? Answer.FAILED : remove(virtStart, virtEnd);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes bus mastering from all devices of the containers for good, and resets those that can be. A device that
     * keeps bus mastering is closed, and its group taken out of the container. What does not succeed stands in {@link
     * #lastFailure}. The mirror does nothing any more; the containers can only be closed.
     */
    @Override
    public void expelled() {
        lock.lock();
        try {
            cutOffAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a region from the devices before it is removed from guest memory. Mappings that are made later leave it
     * out, too.
     *
     * @param region a region of the guest's memory
     * @throws IOException if the host did not unmap it; the devices have been cut off then, as by {@link #expelled}
     */
    public void withdraw(MemoryRegion region) throws IOException {
        lock.lock();
        try {
            withdrawn.add(region);
            for (Piece piece : cutOff ? List.<Piece>of() : pieces.in(region)) {
                if (remove(piece.iova(), piece.end()) != Answer.DONE) {
                    String why = String.valueOf(failure);
                    cutOffAll();
                    throw new IOException(why);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many mappings each container has now.
     *
     * @return a count; a guest's mapping that spans several regions counts once for each
     */
    public int mappings() {
        lock.lock();
        try {
            return pieces.count();
        } finally {
            lock.unlock();
        }
    }

    /**
     * How much memory each container pins now.
     *
     * @return bytes
     */
    public long mappedBytes() {
        lock.lock();
        try {
            return pieces.bytes();
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many parts of mappings led to no memory, since the start.
     *
     * @return a count
     */
    public long unmirrored() {
        lock.lock();
        try {
            return unmirrored;
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many mappings the host refused, since the start.
     *
     * @return a count
     */
    public long refusals() {
        lock.lock();
        try {
            return refusals;
        } finally {
            lock.unlock();
        }
    }

    /**
     * What the host refused last.
     *
     * @return nothing if it has refused nothing
     */
    public Optional<VfioFailure> lastFailure() {
        lock.lock();
        try {
            return Optional.ofNullable(failure);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether the devices have been cut off, because the host did not unmap what it was told to.
     *
     * @return true for good after {@link #expelled}
     */
    public boolean isCutOff() {
        lock.lock();
        try {
            return cutOff;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives up what the mirror has of guest memory. Let it leave the IOMMU first: one that is still joined refuses
     * ATTACH and MAP from now on. The containers stay open. Closing twice does nothing.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            section.close();
        } finally {
            lock.unlock();
        }
    }

    /** Goes through the regions that a mapping leads to, and what lies between them. */
    private Answer mirror(long virtStart, long virtEnd, long physStart, int flags) {
        RegionMap map = memory.map();
        long iova = virtStart;
        long gpa = physStart;
        long left = virtEnd - virtStart; // one less than the bytes, so that 2^64 has a number
        while (true) {
            MemoryRegion region = map.find(gpa);
            long last = region == null ? lastWithoutRegion(map, gpa) : region.end();
            long part = Long.compareUnsigned(last - gpa, left) < 0 ? last - gpa : left;
            Answer answer = mirrorPart(iova, part + 1, gpa, region, flags);
            if (answer != Answer.DONE || part == left) {
                return answer;
            }
            iova += part + 1;
            gpa += part + 1;
            left -= part + 1;
        }
    }

    /** The last address before the next region. */
    private static long lastWithoutRegion(RegionMap map, long gpa) {
        int low = 0;
        int high = map.count();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(map.region(middle).start(), gpa) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == map.count() ? -1 : map.region(low).start() - 1;
    }

    private Answer mirrorPart(long iova, long size, long gpa, @Nullable MemoryRegion region, int flags) {
        boolean readable = (flags & MapRequest.FLAG_READ) != 0 && region != null && region.allows(Access.READ);
        boolean writable = (flags & MapRequest.FLAG_WRITE) != 0 && region != null && region.allows(Access.WRITE);
        if (region == null || withdrawn.contains(region) || !(readable || writable)) {
            unmirrored++;
            return Answer.DONE;
        }
        long host = region.segment().address() + (gpa - region.start());
        for (int i = 0; i < hosts.length; i++) {
            int errno = hosts[i].map(iova, host, size, readable, writable);
            if (errno != 0) {
                failure = VfioFailure.of("VFIO_IOMMU_MAP_DMA", iova, size, errno);
                takeBack(iova, size, i);
                return errno == Errno.ENOMEM || errno == Errno.ENOSPC ? Answer.NO_ROOM : Answer.FAILED;
            }
        }
        pieces.add(new Piece(iova, size, region));
        return Answer.DONE;
    }

    /** Removes a piece that a later container refused from those before it. */
    private void takeBack(long iova, long size, int count) {
        for (int i = 0; i < count; i++) {
            if (!removed(hosts[i], iova, size, size)) {
                cutOffAll();
            }
        }
    }

    /** Removes all pieces of a range, by one call for each container: from the first one to the last. */
    private Answer remove(long virtStart, long virtEnd) {
        List<Piece> inside = pieces.inside(virtStart, virtEnd);
        if (inside.isEmpty()) {
            return Answer.DONE;
        }
        long first = inside.get(0).iova();
        long size = inside.get(inside.size() - 1).end() - first + 1;
        long bytes = inside.stream().mapToLong(Piece::size).sum();
        boolean all = true;
        for (HostIommu host : hosts) {
            all &= removed(host, first, size, bytes);
        }
        if (all) {
            inside.forEach(pieces::remove);
        }
        return all ? Answer.DONE : Answer.FAILED;
    }

    /** A length of 2^64 does not fit into the request; no mapping lies across the middle of all addresses. */
    private boolean removed(HostIommu host, long iova, long size, long bytes) {
        if (size == 0) {
            long low = host.unmap(0, HALF);
            return low < 0 ? removed(0, HALF, bytes, low)
                    : removed(HALF, HALF, bytes - low, host.unmap(HALF, HALF));
        }
        return removed(iova, size, bytes, host.unmap(iova, size));
    }

    private boolean removed(long iova, long size, long expected, long answer) {
        if (answer == expected) {
            return true;
        }
        failure = answer < 0 ? VfioFailure.of("VFIO_IOMMU_UNMAP_DMA", iova, size, (int) -answer)
                : VfioFailure.of("VFIO_IOMMU_UNMAP_DMA: " + answer + " bytes and not " + expected, iova, size, 0);
        return false;
    }

    private void cutOffAll() {
        cutOff = true;
        for (HostIommu host : hosts) {
            String left = host.cutOff();
            if (!left.isEmpty()) {
                failure = new VfioFailure(left, 0);
            }
        }
    }
}
