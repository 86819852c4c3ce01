// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

/** A table of mappings in Java, doing what the programs in {@code benchmarks/peers} do. All addresses inclusive. */
interface PeerTable {

    /** What the device does for a MAP; false if something overlaps. */
    boolean insert(long first, long last, long physical);

    /** What the device does for an UNMAP; how many mappings went, 0 also if one would have been split. */
    long remove(long first, long last);

    /** An UNMAP of all addresses; how many mappings went. */
    long removeAll();

    /** Where an address leads; 0 where nothing is mapped for reading and writing. */
    long translate(long address);

    /** Adds up last address XOR physical address over all mappings, in order. */
    long walk();

    /** A moment between batches in which nobody reads. */
    void gracePeriod();

    /** Bytes off the heap. */
    long bytes();
}
