// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.memory.AllMemory;
import org.virtio4j.vmm.HostMemory;
import org.virtio4j.vmm.LittleEndian;

/**
 * The words that nodes consist of, and how nodes are named: by where they are, in bytes, and in memory by a reference,
 * which is their distance from the first node in units of 64 bytes and fits 32 bits.
 *
 * <p>Where native access is allowed, where a node is is its address, and its words are reached through a segment of all
 * memory. That segment is a constant, and all that an address is made of is bounded, so the compiler leaves every check
 * out, which saves two fifths of a search. No word of a guest ever becomes part of an address: nodes come from {@link
 * NodePool} alone, slots from counting. Where an address is made, a comment that begins with "In bounds:" says why it
 * lies in the space, and the memory of the space is there as long as anybody can look: {@link NodeSpace#close} says
 * how.
 *
 * <p>Where native access is not allowed, or the system property {@value AllMemory#CHECKED_PROPERTY} is {@code true},
 * where a node is is its offset in the segment of the space, and all is checked: what goes wrong throws.
 */
final class NodeMemory {

    private static final @Nullable MemorySegment ALL = AllMemory.segment();

    /** No address of a process reaches bit 55; what is known to be below bit 56 needs no check. */
    private static final long BASE_MASK = (1L << 55) - 1;
    private static final long ADDRESS_MASK = (1L << 56) - 1;

    private static final int REFERENCE_SHIFT = 6;
    /** Nodes lie at multiples of this. */
    static final long UNIT = 1 << REFERENCE_SHIFT;

    private final MemorySegment segment;
    private final long base;

    /** Held, so that the memory is not collected while a thread that holds this object reads it by its address. */
    private final @Nullable HostMemory owner;

    /** Set if the system would not take memory back, by a reason that will be the same the next time. */
    private @Nullable NativeFailureException refusal;

    /**
     * Takes memory.
     *
     * @param owner whose segment it is; null if somebody else keeps it
     */
    NodeMemory(MemorySegment segment, @Nullable HostMemory owner) {
        this.segment = segment;
        this.base = ALL == null ? 0 : segment.address();
        this.owner = owner;
    }

    /** Whether a wrong address throws, where it would otherwise end the process. */
    static boolean isChecked() {
        return ALL == null;
    }

    /** What a reader does when it has finished: until then its addresses mean something. */
    @SuppressWarnings("ReachabilityFenceUsage") // a search that throws reads nothing more
    void keep() {
        Reference.reachabilityFence(owner);
    }

    /** Where the first node is. */
    long base() {
        return base & BASE_MASK;
    }

    // Names of nodes

    static long node(long base, int reference) {
        // In bounds: references are made by reference() alone, of nodes that a pool dealt out. A reader takes them from
        // the root word or a child's place of a node that it found the same way and that no grace period has freed, and
        // both hold nothing but references once the node is published.
        return base + (Integer.toUnsignedLong(reference) << REFERENCE_SHIFT);
    }

    long node(int reference) {
        return node(base(), reference);
    }

    int reference(long node) {
        return (int) ((node - base()) >>> REFERENCE_SHIFT);
    }

    // Words

    int i32(long at) {
        return ALL == null ? LittleEndian.i32(segment, at) : LittleEndian.i32(ALL, at & ADDRESS_MASK);
    }

    /** For readers: what the writer wrote before it published the word is visible. */
    int i32Acquire(long at) {
        return ALL == null ? LittleEndian.i32Acquire(segment, at) : LittleEndian.i32Acquire(ALL, at & ADDRESS_MASK);
    }

    void putI32(long at, int value) {
        if (ALL == null) {
            LittleEndian.putI32(segment, at, value);
        } else {
            LittleEndian.putI32(ALL, at & ADDRESS_MASK, value);
        }
    }

    /** Publishes. */
    void putI32Release(long at, int value) {
        if (ALL == null) {
            LittleEndian.putI32Release(segment, at, value);
        } else {
            LittleEndian.putI32Release(ALL, at & ADDRESS_MASK, value);
        }
    }

    long i64(long at) {
        return ALL == null ? LittleEndian.i64(segment, at) : LittleEndian.i64(ALL, at & ADDRESS_MASK);
    }

    /** For readers: what the writer wrote before it published the word is visible. */
    long i64Acquire(long at) {
        return ALL == null ? LittleEndian.i64Acquire(segment, at) : LittleEndian.i64Acquire(ALL, at & ADDRESS_MASK);
    }

    void putI64(long at, long value) {
        if (ALL == null) {
            LittleEndian.putI64(segment, at, value);
        } else {
            LittleEndian.putI64(ALL, at & ADDRESS_MASK, value);
        }
    }

    /** Publishes. */
    void putI64Release(long at, long value) {
        if (ALL == null) {
            LittleEndian.putI64Release(segment, at, value);
        } else {
            LittleEndian.putI64Release(ALL, at & ADDRESS_MASK, value);
        }
    }

    /**
     * Tells the system that what is in some pages does not matter.
     *
     * @param offset bytes from the first node
     */
    void giveBack(long offset, long length) {
        if (owner == null || refusal != null) {
            return;
        }
        try {
            owner.giveBack(offset, length);
        } catch (NativeFailureException refused) {
            refusal = refused;
        }
    }

    /** Why memory is not given back, with the name of the system's error; null if it is. */
    @Nullable NativeFailureException refusal() {
        return refusal;
    }

    void zero(long at, long bytes) {
        segment.asSlice(at - base, bytes).fill((byte) 0);
    }

    /** The two may overlap. */
    void copy(long from, long to, long bytes) {
        MemorySegment.copy(segment, from - base, segment, to - base, bytes);
    }
}
