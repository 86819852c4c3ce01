// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.lang.foreign.MemorySegment;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.hostile.RawRing;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.UsedRing;

/**
 * A split ring whose descriptors and available entries are written once, at set-up, for the ring's whole circle. What
 * is left of a driver's work is one store, so that a benchmark measures the device.
 */
public final class PlacedRing {

    private static final int INDEX_MASK = 0xffff;

    private final int[] heads;
    private final QueueMemory memory;
    private final RawRing raw;
    private final MemorySegment segment;
    private final long availableIndexAt;
    private final long usedIndexAt;
    private int available;

    /**
     * Takes memory for a ring.
     *
     * @param heads what the available entries name, again and again
     */
    public PlacedRing(GuestMemory guest, GuestRam ram, int size, int[] heads) {
        this.heads = heads;
        memory = QueueMemory.pageAligned(ram, size);
        raw = new RawRing(memory);
        MemoryRegion region = guest.map().region(0);
        segment = region.segment();
        availableIndexAt = at(memory.availableRing(), region) + AvailableRing.IDX;
        usedIndexAt = at(memory.usedRing(), region) + UsedRing.IDX;
        fillAvailable();
    }

    /** Writes the available entries, once more where a driver that enabled the ring has cleared it. */
    public void fillAvailable() {
        for (int i = 0; i < memory.size(); i++) {
            raw.availableEntry(i, heads[i % heads.length]);
        }
    }

    public QueueMemory memory() {
        return memory;
    }

    /** For the descriptors, at set-up. */
    public RawRing raw() {
        return raw;
    }

    /** The driver's side of the measured time: the next chains are the device's. */
    public void makeAvailable(int count) {
        available = (available + count) & INDEX_MASK;
        LittleEndian.putU16Release(segment, availableIndexAt, available);
    }

    /** How many chains were made available, modulo 2^16. */
    int available() {
        return available;
    }

    /** Throws unless the device has given everything back. */
    public void checkAllUsed() {
        int used = LittleEndian.u16Acquire(segment, usedIndexAt);
        if (used != available) {
            throw new IllegalStateException("used=" + used + " available=" + available
                    + ": the device did not do what is being measured");
        }
    }

    private static long at(GuestBuffer part, MemoryRegion region) {
        return part.address() - region.start();
    }
}
