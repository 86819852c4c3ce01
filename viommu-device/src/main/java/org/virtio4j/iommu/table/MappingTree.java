// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import org.virtio4j.dma.translate.ExtentSink;

/** The table of the product: a B+-tree in the nodes of a {@link NodeSpace}, read while it changes. */
public final class MappingTree implements MappingTable {

    private static final int FLAGS = 7;
    private static final int SIZE = 0;

    private final NodeMemory memory;
    // The root word has a node of its own, because it changes more often than what readers load beside it.
    private final long rootAt;

    private final NodeSpace space;
    private final TreePath path;
    private final SortedMappings sorted;
    private final TreeInsert insertion;
    private final TreeRemove removal;
    private final WriterWords words = new WriterWords(1);

    /** Plain, for readers too: their section began with a fence. */
    private boolean discarded;

    /**
     * Makes an empty table. The writer's thread.
     *
     * @param space what the nodes come from; {@link NodeSpace#hasRoomForTable} must hold
     * @throws IllegalStateException if it does not
     */
    public MappingTree(NodeSpace space) {
        if (!space.hasRoomForTable()) {
            throw new IllegalStateException("hasRoomForTable=false: reclaim nodes, or give the space more memory");
        }
        this.space = space;
        memory = space.memory();
        rootAt = space.allocateLeaf();
        path = new TreePath(memory, rootAt);
        sorted = new SortedMappings(memory);
        insertion = new TreeInsert(space, path, sorted);
        removal = new TreeRemove(space, path);
        memory.putI64Release(rootAt, Node.rootWord(memory, space.emptyLeaf(), 0));
        space.began();
    }

    @Override
    public Lookup find(long iova, int required, ExtentSink out) {
        if (discarded) {
            // The memory may be gone. Who does not see this yet began before, and is waited for.
            return Lookup.ABSENT;
        }
        Lookup found = TreeSearch.find(memory, rootAt, iova, required, out);
        memory.keep();
        return found;
    }

    @Override
    public boolean overlaps(long virtStart, long virtEnd) {
        checkRange(virtStart, virtEnd);
        return insertion.overlaps(Pages.of(virtStart), Pages.of(virtEnd));
    }

    @Override
    public Insertion insert(long virtStart, long virtEnd, long physStart, int flags) {
        checkRange(virtStart, virtEnd);
        if (Pages.offset(virtStart | ~virtEnd | physStart) != 0 || (flags & ~FLAGS) != 0) {
            throw new IllegalArgumentException("virtStart=" + hex(virtStart) + " virtEnd=" + hex(virtEnd)
                    + " physStart=" + hex(physStart) + " flags=" + flags
                    + ": align to 4096 bytes and give no flags but 1, 2 and 4");
        }
        Insertion result = insertion.insert(Pages.of(virtStart), Pages.of(virtEnd), physStart | flags);
        if (result == Insertion.INSERTED) {
            words.add(SIZE, 1);
        }
        return result;
    }

    @Override
    public boolean wouldSplit(long virtStart, long virtEnd) {
        checkRange(virtStart, virtEnd);
        return removal.wouldSplit(virtStart, virtEnd);
    }

    @Override
    public Removal remove(long virtStart, long virtEnd) {
        checkRange(virtStart, virtEnd);
        Removal result = removal.remove(virtStart, virtEnd);
        words.add(SIZE, -removal.removed());
        return result;
    }

    @Override
    public long removed() {
        return removal.removed();
    }

    @Override
    public long clear() {
        checkNotDiscarded();
        long size = size();
        removal.removeAll();
        words.set(SIZE, 0);
        return size;
    }

    @Override
    public void forEach(long virtStart, long virtEnd, MappingVisitor visitor) {
        checkRange(virtStart, virtEnd);
        TreeWalk.walk(path, sorted, Pages.of(virtStart), Pages.of(virtEnd), visitor);
    }

    @Override
    public long size() {
        return words.get(SIZE);
    }

    @Override
    public void discard() {
        if (!discarded) {
            clear();
            discarded = true;
            space.retire(rootAt);
            space.ended();
        }
    }

    @Override
    public void verify() {
        checkNotDiscarded();
        new TreeCheck(space, rootWord()).check(size());
    }

    /** Nodes that this table takes, retired ones left out. In time proportional to the size of the table. */
    long nodes() {
        return 1 + new TreeCheck(space, rootWord()).check(size());
    }

    long rootWord() {
        return memory.i64(rootAt);
    }

    private void checkNotDiscarded() {
        if (discarded) {
            throw new IllegalStateException("table=discarded; make another in a space that is open");
        }
    }

    private void checkRange(long virtStart, long virtEnd) {
        checkNotDiscarded();
        if (Long.compareUnsigned(virtStart, virtEnd) > 0) {
            throw new IllegalArgumentException("virtStart=" + hex(virtStart) + " lies above virtEnd=" + hex(virtEnd)
                    + ": refuse an inverted range before it comes here");
        }
    }

    private static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
