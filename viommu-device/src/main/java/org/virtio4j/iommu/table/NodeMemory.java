// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.os.NativeMemory;

/**
 * The words that nodes consist of, and how nodes are named: by where they are, in bytes, and in memory by a reference,
 * which is their distance from the first node in units of 64 bytes and fits 32 bits.
 *
 * <p>Where native access is allowed, where a node is is its address, and its words are reached through a segment of all
 * memory. That segment is a constant, and all that an address is made of is bounded, so the compiler leaves every check
 * out, which saves two fifths of a search. No word of a guest ever becomes part of an address: nodes come from {@link
 * NodePool} alone, slots from counting. Where native access is not allowed, where a node is is its offset in the
 * segment of the space, and all is checked.
 */
final class NodeMemory {

    private static final @Nullable MemorySegment ALL = NativeMemory.available() ? NativeMemory.everything() : null;

    /** No address of a process reaches bit 55; what is known to be below bit 56 needs no check. */
    private static final long BASE_MASK = (1L << 55) - 1;
    private static final long ADDRESS_MASK = (1L << 56) - 1;

    private static final int REFERENCE_SHIFT = 6;
    /** Nodes lie at multiples of this. */
    static final long UNIT = 1 << REFERENCE_SHIFT;

    /** Kept, so that the memory is not given back while it is used by its address. */
    private final MemorySegment segment;
    private final long base;

    NodeMemory(MemorySegment segment) {
        this.segment = segment;
        this.base = ALL == null ? 0 : segment.address();
    }

    /** Where the first node is. */
    long base() {
        return base & BASE_MASK;
    }

    // Names of nodes

    static long node(long base, int reference) {
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

    void zero(long at, long bytes) {
        segment.asSlice(at - base, bytes).fill((byte) 0);
    }

    /** The two may overlap. */
    void copy(long from, long to, long bytes) {
        MemorySegment.copy(segment, from - base, segment, to - base, bytes);
    }
}
