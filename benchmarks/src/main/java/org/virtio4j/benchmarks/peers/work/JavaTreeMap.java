// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import java.util.Map.Entry;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The same on the balanced binary tree that comes with Java: objects on the heap, by their first address. The natural
 * order of {@code long} is signed, so addresses are below 2^63.
 */
final class JavaTreeMap implements PeerTable {

    private static final int READ_WRITE = 3;

    private record Mapping(long last, long physical, int flags) {
    }

    private final TreeMap<Long, Mapping> mappings = new TreeMap<>();

    @Override
    public boolean insert(long first, long last, long physical) {
        if (reaches(mappings.floorEntry(last), first)) {
            return false;
        }
        mappings.put(first, new Mapping(last, physical, READ_WRITE));
        return true;
    }

    /** A mapping that is the whole range, which is what Linux removes, needs no second search. */
    @Override
    public long remove(long first, long last) {
        Entry<Long, Mapping> highest = mappings.floorEntry(last);
        if (highest == null) {
            return 0;
        }
        long at = highest.getKey();
        long end = highest.getValue().last;
        if (at == first && end == last) {
            mappings.remove(at);
            return 1;
        }
        return at < first || end > last || reaches(mappings.lowerEntry(first), first) ? 0 : removeEach(first, last);
    }

    private long removeEach(long first, long last) {
        long removed = 0;
        Entry<Long, Mapping> next = mappings.ceilingEntry(first);
        while (next != null && next.getKey() <= last) {
            mappings.remove(next.getKey());
            removed++;
            next = mappings.ceilingEntry(first);
        }
        return removed;
    }

    @Override
    public long removeAll() {
        return remove(0, Long.MAX_VALUE);
    }

    @Override
    public long translate(long address) {
        Entry<Long, Mapping> below = mappings.floorEntry(address);
        if (below == null || below.getValue().last < address || (below.getValue().flags & READ_WRITE) != READ_WRITE) {
            return 0;
        }
        return below.getValue().physical + (address - below.getKey());
    }

    @Override
    public long walk() {
        long sum = 0;
        for (Mapping mapping : mappings.values()) {
            sum += mapping.last ^ mapping.physical;
        }
        return sum;
    }

    @Override
    public void gracePeriod() {
        // The collector knows when nobody reads.
    }

    @Override
    public long bytes() {
        return 0;
    }

    private static boolean reaches(@Nullable Entry<Long, Mapping> below, long address) {
        return below != null && below.getValue().last >= address;
    }
}
