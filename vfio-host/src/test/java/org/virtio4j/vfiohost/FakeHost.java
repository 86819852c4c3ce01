// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Errno;

/** An address space of a host's IOMMU that keeps the rules of VFIO's type 1, version 2, and fails on demand. */
final class FakeHost implements HostIommu {

    /** Every call, in order, without host addresses. */
    final List<String> calls = new ArrayList<>();

    private final NavigableMap<Long, Mapping> mappings = new TreeMap<>(Long::compareUnsigned);
    private final long pageSizes;
    private int most = Integer.MAX_VALUE;
    private int failingCall = -1;
    private int errno;
    private boolean liesAboutBytes;
    private String left = "";
    private boolean cut;

    /** A mapping of the host. */
    record Mapping(long host, long size, String rights) {
    }

    FakeHost() {
        this(0x4020_1000L);
    }

    FakeHost(long pageSizes) {
        this.pageSizes = pageSizes;
    }

    /** Lets a call fail, counted from 0 from now on, and whatever follows succeed. */
    FakeHost failAt(int call, int error) {
        calls.clear();
        failingCall = call;
        errno = error;
        return this;
    }

    FakeHost limit(int count) {
        most = count;
        return this;
    }

    /** Unmaps, and says that there was a page less. */
    void lieAboutBytes() {
        liesAboutBytes = true;
    }

    /** What is not cut off when all is. */
    void leave(String what) {
        left = what;
    }

    boolean isCut() {
        return cut;
    }

    NavigableMap<Long, Mapping> mappings() {
        return mappings;
    }

    @Override
    public long pageSizeMask() {
        return pageSizes;
    }

    @Override
    public int map(long iova, long host, long size, boolean readable, boolean writable) {
        String rights = (readable ? "r" : "") + (writable ? "w" : "");
        calls.add("map " + range(iova, size) + " " + rights);
        if (calls.size() - 1 == failingCall) {
            return errno;
        }
        if (mappings.size() >= most) {
            return Errno.ENOSPC;
        }
        if (reaches(mappings.floorEntry(iova + (size - 1)), iova)) {
            return Errno.EEXIST;
        }
        mappings.put(iova, new Mapping(host, size, rights));
        return 0;
    }

    @Override
    public long unmap(long iova, long size) {
        calls.add("unmap " + range(iova, size));
        if (calls.size() - 1 == failingCall) {
            return -errno;
        }
        if (size == 0 || splits(iova) || (iova + size != 0 && splits(iova + size))) {
            return -Errno.EINVAL;
        }
        NavigableMap<Long, Mapping> inside = mappings.subMap(iova, true, iova + (size - 1), true);
        long bytes = inside.values().stream().mapToLong(Mapping::size).sum();
        inside.clear();
        return liesAboutBytes ? bytes - 4096 : bytes;
    }

    private boolean splits(long address) {
        return reaches(mappings.lowerEntry(address), address);
    }

    private static boolean reaches(Map.@Nullable Entry<Long, Mapping> below, long address) {
        return below != null
                && Long.compareUnsigned(below.getKey() + (below.getValue().size() - 1), address) >= 0;
    }

    @Override
    public String cutOff() {
        cut = true;
        return left;
    }

    private static String range(long iova, long size) {
        return Long.toHexString(iova) + " " + Long.toHexString(iova + (size - 1));
    }
}
