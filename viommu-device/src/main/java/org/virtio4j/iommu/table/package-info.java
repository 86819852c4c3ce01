// SPDX-License-Identifier: Apache-2.0

/**
 * What a domain of the IOMMU maps where: the table that MAP and UNMAP change and that every translated access asks.
 *
 * <p>{@link org.virtio4j.iommu.table.MappingTable} says what a table does; {@link org.virtio4j.iommu.table.MappingTree}
 * is the one the product uses, a B+-tree in off-heap memory. The tables of all domains of one IOMMU share a {@link
 * org.virtio4j.iommu.table.NodeSpace}, and one thread at a time changes any of them: the thread that holds the IOMMU's
 * control lock is <em>the writer</em>. Everybody else reads, at any time and on any number of threads, without a lock
 * and without a retry.
 *
 * <p>How that goes together:
 *
 * <ul>
 * <li>A mapping comes into a leaf, or goes, by one release store of its first page, into a slot that no reader can know
 *     of. A slot that was left rests until the next grace period, so no reader sees parts of two mappings.
 * <li>Everything else about a node is written before anybody can reach it and never again after, except the child
 *     references of inner nodes. A split, a join or a removal of whole subtrees writes new nodes beside the old ones
 *     and brings them in with one release store: of a child reference, or of the word that names the root. A reader
 *     that comes by sees the tree from before or from after, each of them whole.
 * <li>The nodes it replaced still have readers. They are <em>retired</em>, never change again, and come back for use
 *     when the writer says that every reader of then is gone ({@link org.virtio4j.iommu.table.NodeSpace#reclaim}). How
 *     it finds out is its own matter: nothing here knows of readers.
 * </ul>
 *
 * <p>Layout, search, change and reclaiming are each in files of their own: {@code Node} and {@code Leaf};
 * {@code TreeSearch}; {@code TreeInsert} and {@code TreeRemove}, which publish through {@code TreePath};
 * {@code NodeSpace} and its {@code NodePool}s, of which {@code Pieces} gives back to the system what is free. {@code
 * NodeMemory} is where they all load and store: by address and without a check where native access is allowed, unless
 * the system property {@code virtio4j.table.checked} is {@code true}. It is read once.
 *
 * <p>What the writer changes beside the nodes (a path, counters, a sorted copy) is kept in {@code WriterWords}: numbers
 * in an array with room on both sides, and a constant for the place of each. Fields with padding around them would read
 * better, but the layout of fields is up to the JVM, and one line shared with what readers load would cost every
 * translation.
 *
 * <p>The memory ends in an order that {@link org.virtio4j.iommu.table.NodeSpace#close} enforces: tables are discarded,
 * after which they have nothing for a reader; a grace period passes; the nodes are reclaimed; the memory is unmapped.
 */
@NullMarked
package org.virtio4j.iommu.table;

import org.jspecify.annotations.NullMarked;
