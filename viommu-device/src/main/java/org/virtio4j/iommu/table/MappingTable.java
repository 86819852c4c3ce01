// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import org.virtio4j.dma.translate.ExtentSink;

/**
 * The mappings of one domain: disjoint ranges of I/O-virtual addresses, each with the guest-physical address it starts
 * at and its flags (virtio 1.4, sections 5.13.6.5 and 5.13.6.6).
 *
 * <p>Addresses are unsigned over the whole 64 bits and ends are inclusive, so that a mapping may end at 2^64 - 1.
 * Mappings come in pages of 4096 bytes, the smallest granule a device may have: {@code virtStart},
 * {@code virtEnd + 1} and {@code physStart} of a mapping are multiples of that. Ranges that are merely asked about need
 * no alignment.
 *
 * <p>{@link #find} may be called by any thread inside a reader's section. All other methods belong to the writer, the
 * thread that holds the IOMMU's control lock. After a change, readers that were inside a section may still see what was
 * before, until a grace period has passed.
 */
public interface MappingTable {

    /** Answer to {@link #find}. */
    enum Lookup {
        /** The address is mapped with every flag that was required. */
        FOUND,
        /** Nothing is mapped there. */
        ABSENT,
        /** The address is mapped, but a flag that was required is missing. */
        DENIED
    }

    /** Answer to {@link #insert}. */
    enum Insertion {
        /** The mapping is in the table. */
        INSERTED,
        /** Some address of the range is mapped already; nothing changed. */
        OVERLAP,
        /**
         * No memory; nothing changed. If something was removed since the latest {@link NodeSpace#reclaim()}, or {@link
         * NodeSpace#retired()} is not 0, a grace period and another reclaim may help. If there is no room after that
         * either, the space is full.
         */
        FULL
    }

    /** Answer to {@link #remove}. */
    enum Removal {
        /** What lay inside the range, possibly nothing, is gone; {@link #removed()} says how many. */
        REMOVED,
        /** A mapping lies partly inside the range and partly outside; nothing changed. */
        WOULD_SPLIT,
        /**
         * No memory to rearrange what remains; nothing changed. It happens only while nodes are waiting in {@link
         * NodeSpace#retired()}: after a grace period and {@link NodeSpace#reclaim()} the same call succeeds.
         */
        FULL
    }

    /**
     * Looks up one address. Any thread, inside a reader's section; takes no lock, allocates nothing and never retries.
     *
     * @param iova     I/O-virtual address
     * @param required flags that the mapping must have, a sum of READ 1 and WRITE 2
     * @param out      takes the whole mapping that holds the address, before this returns, if the answer is {@link
     *                 Lookup#FOUND}
     * @return whether there is such a mapping
     */
    Lookup find(long iova, int required, ExtentSink out);

    /**
     * Whether any address of a range is mapped.
     *
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return true if at least one is
     * @throws IllegalArgumentException if the range is inverted
     */
    boolean overlaps(long virtStart, long virtEnd);

    /**
     * Adds a mapping, unless some address of it is mapped already.
     *
     * @param virtStart first I/O-virtual address, a multiple of 4096
     * @param virtEnd   last I/O-virtual address, inclusive, the last byte of a 4096-byte page
     * @param physStart guest-physical address that {@code virtStart} means, a multiple of 4096
     * @param flags     a sum of READ 1, WRITE 2 and MMIO 4
     * @return whether the mapping is in the table, or why not
     * @throws IllegalArgumentException if the range is inverted or something is not aligned
     */
    Insertion insert(long virtStart, long virtEnd, long physStart, int flags);

    /**
     * Whether removing a range would have to cut a mapping in two, because it lies partly inside and partly outside.
     *
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return true if {@link #remove} would answer {@link Removal#WOULD_SPLIT}
     * @throws IllegalArgumentException if the range is inverted
     */
    boolean wouldSplit(long virtStart, long virtEnd);

    /**
     * Removes every mapping that lies inside a range, unless one lies only partly inside. Gaps and an empty range are
     * no obstacle.
     *
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return whether it was done, or why nothing was
     * @throws IllegalArgumentException if the range is inverted
     */
    Removal remove(long virtStart, long virtEnd);

    /**
     * How many mappings the latest {@link #remove} took away.
     *
     * @return 0 if it was refused, and before the first
     */
    long removed();

    /**
     * Removes every mapping, which needs no memory.
     *
     * @return how many there were
     */
    long clear();

    /**
     * Shows the mappings that have an address in a range, in ascending order, until the visitor has enough.
     *
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param visitor   takes each; it must not change the table
     * @throws IllegalArgumentException if the range is inverted
     */
    void forEach(long virtStart, long virtEnd, MappingVisitor visitor);

    /**
     * How many mappings there are.
     *
     * @return the number, at least 0
     */
    long size();

    /**
     * Removes every mapping and gives back what an empty table takes. Readers that enter a section later find nothing,
     * and of the other methods all but this and {@link #size} throw {@link IllegalStateException}. A second call does
     * nothing.
     */
    void discard();

    /**
     * Checks everything that must always hold, in time proportional to the size of the table. For tests and for finding
     * out what went wrong.
     *
     * @throws IllegalStateException if something does not hold, saying what and where
     */
    void verify();
}
