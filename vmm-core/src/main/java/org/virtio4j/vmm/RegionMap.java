// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All regions of a guest's memory at one moment: immutable, in ascending order, without overlap. Any thread may read
 * it.
 *
 * <p>The regions lie in chunks, of which a change copies one, and the list of chunks. A client behind an IOMMU of its
 * machine maps page by page, some 65,000 regions, and to copy them all for each would cost a second of copying.
 */
public final class RegionMap {

    /** The most regions of a chunk. A full one becomes two, and two that have become small become one. */
    static final int CHUNK = 512;

    static final RegionMap EMPTY = new RegionMap(new MemoryRegion[1][0], 0, 0, true);

    /** At least one, and only a chunk that is alone may be empty. */
    private final MemoryRegion[][] chunks;
    private final int count;
    private final long generation;
    private final boolean complete;

    private RegionMap(MemoryRegion[][] chunks, int count, long generation, boolean complete) {
        this.chunks = chunks;
        this.count = count;
        this.generation = generation;
        this.complete = complete;
    }

    /**
     * Which map of its memory this is; each change makes a new one with the next number.
     *
     * @return a number that only grows
     */
    public long generation() {
        return generation;
    }

    /**
     * Whether what is missing here is missing for good, see {@link GuestMemory#beginExchange}.
     *
     * @return false while the embedder is exchanging memory
     */
    public boolean complete() {
        return complete;
    }

    /**
     * How many regions there are.
     *
     * @return a count
     */
    public int count() {
        return count;
    }

    /**
     * A region by its place in ascending order.
     *
     * @param index 0 to {@link #count()} − 1
     * @return the region
     * @throws IndexOutOfBoundsException for any other index
     */
    public MemoryRegion region(int index) {
        int chunk = 0;
        int place = Objects.checkIndex(index, count);
        while (place >= chunks[chunk].length) {
            place -= chunks[chunk].length;
            chunk++;
        }
        return chunks[chunk][place];
    }

    /**
     * The region that holds an address.
     *
     * @param gpa guest-physical address
     * @return the region, or null where there is nothing
     */
    public @Nullable MemoryRegion find(long gpa) {
        MemoryRegion[] chunk = chunks[chunkOf(gpa)];
        int below = above(chunk, gpa) - 1;
        return below >= 0 && chunk[below].holds(gpa) ? chunk[below] : null;
    }

    RegionMap with(MemoryRegion added) {
        int at = chunkOf(added.start());
        MemoryRegion[] chunk = chunks[at];
        int place = above(chunk, added.start());
        if (place > 0) {
            checkApart(added, chunk[place - 1]);
        }
        if (place < chunk.length) {
            checkApart(added, chunk[place]);
        } else if (at + 1 < chunks.length) {
            checkApart(added, chunks[at + 1][0]);
        }
        MemoryRegion[] more = Arrays.copyOf(chunk, chunk.length + 1);
        System.arraycopy(chunk, place, more, place + 1, chunk.length - place);
        more[place] = added;
        return new RegionMap(more.length <= CHUNK ? replaced(at, 1, more) : replaced(at, 1,
                Arrays.copyOf(more, CHUNK / 2), Arrays.copyOfRange(more, CHUNK / 2, more.length)),
                count + 1, generation + 1, complete);
    }

    RegionMap without(MemoryRegion removed) {
        int at = chunkOf(removed.start());
        MemoryRegion[] chunk = chunks[at];
        int place = above(chunk, removed.start()) - 1;
        if (place < 0 || chunk[place] != removed) {
            throw new IllegalArgumentException("region=" + removed + " is not in this memory; was it removed before?");
        }
        MemoryRegion[] fewer = Arrays.copyOf(chunk, chunk.length - 1);
        System.arraycopy(chunk, place + 1, fewer, place, fewer.length - place);
        return new RegionMap(shrunk(at, fewer), count - 1, generation + 1, complete);
    }

    /** None of the regions. */
    RegionMap cleared() {
        return new RegionMap(EMPTY.chunks, 0, generation + 1, complete);
    }

    /** The same regions, and the same generation: what was resolved before holds as well as ever. */
    RegionMap withComplete(boolean now) {
        return now == complete ? this : new RegionMap(chunks, count, generation, now);
    }

    @Override
    public String toString() {
        return "generation " + generation + " " + Arrays.deepToString(chunks);
    }

    /** The last chunk that begins at or below an address; the first if there is none. */
    private int chunkOf(long gpa) {
        int low = 0;
        int high = chunks.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (Long.compareUnsigned(gpa, chunks[middle][0].start()) < 0) {
                high = middle - 1;
            } else {
                low = middle;
            }
        }
        return low;
    }

    /** The place of the first region that begins above an address. */
    private static int above(MemoryRegion[] chunk, long gpa) {
        int low = 0;
        int high = chunk.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(gpa, chunk[middle].start()) < 0) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private static void checkApart(MemoryRegion added, MemoryRegion other) {
        if (other.holds(added.start()) || added.holds(other.start())) {
            throw new IllegalArgumentException(
                    "region=" + added + " overlaps " + other + "; remove that first or choose other addresses");
        }
    }

    /** The chunks with one that has become smaller: together with a neighbour if both are small, so that none stay. */
    private MemoryRegion[][] shrunk(int at, MemoryRegion[] fewer) {
        if (at + 1 < chunks.length && fewer.length + chunks[at + 1].length <= CHUNK / 2) {
            return replaced(at, 2, joined(fewer, chunks[at + 1]));
        }
        if (at > 0 && chunks[at - 1].length + fewer.length <= CHUNK / 2) {
            return replaced(at - 1, 2, joined(chunks[at - 1], fewer));
        }
        return fewer.length == 0 && chunks.length > 1 ? replaced(at, 1) : replaced(at, 1, fewer);
    }

    private MemoryRegion[][] replaced(int at, int old, MemoryRegion[]... others) {
        MemoryRegion[][] all = Arrays.copyOf(chunks, chunks.length - old + others.length);
        System.arraycopy(others, 0, all, at, others.length);
        System.arraycopy(chunks, at + old, all, at + others.length, chunks.length - at - old);
        return all;
    }

    private static MemoryRegion[] joined(MemoryRegion[] low, MemoryRegion[] high) {
        MemoryRegion[] both = Arrays.copyOf(low, low.length + high.length);
        System.arraycopy(high, 0, both, low.length, high.length);
        return both;
    }
}
