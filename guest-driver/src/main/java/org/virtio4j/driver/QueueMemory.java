// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import java.util.Random;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;
import org.virtio4j.wire.VirtqueueLimit;

/**
 * The memory of a split virtqueue (virtio 1.4, section 2.7): three buffers that may lie anywhere. Immutable; any
 * thread.
 *
 * @param size            entries, a power of two up to 32,768
 * @param descriptorTable the descriptors, at a multiple of 16
 * @param availableRing   what the driver writes, at a multiple of 2
 * @param usedRing        what the device writes, at a multiple of 4
 */
public record QueueMemory(int size, GuestBuffer descriptorTable, GuestBuffer availableRing, GuestBuffer usedRing) {

    /**
     * Checks that each part is large enough.
     *
     * @throws IllegalArgumentException if one is not, or the size is no power of two up to 32,768
     */
    public QueueMemory {
        if (Integer.bitCount(size) != 1 || size < 1 || size > VirtqueueLimit.MAX_SIZE) {
            throw new IllegalArgumentException("size=" + size + ", but a power of two up to "
                    + VirtqueueLimit.MAX_SIZE + " is needed");
        }
        checkLength("descriptorTable", descriptorTable, size * SplitDescriptor.SIZE);
        checkLength("availableRing", availableRing, AvailableRing.size(size));
        checkLength("usedRing", usedRing, UsedRing.size(size));
    }

    /**
     * Parts that each begin a page, as most drivers place them.
     *
     * @param ram  where to take the memory from
     * @param size entries, a power of two up to 32,768
     * @return the memory, zeroed
     * @throws IllegalArgumentException if the size is no such number
     * @throws IllegalStateException if there is not enough memory left
     */
    public static QueueMemory pageAligned(GuestRam ram, int size) {
        return aligned(ram, size, GuestMemory.PAGE_SIZE, GuestMemory.PAGE_SIZE, GuestMemory.PAGE_SIZE);
    }

    /**
     * Parts that lie as close as the specification allows, so that they share pages and cache lines.
     *
     * @param ram  where to take the memory from
     * @param size entries, a power of two up to 32,768
     * @return the memory, zeroed
     * @throws IllegalArgumentException if the size is no such number
     * @throws IllegalStateException if there is not enough memory left
     */
    public static QueueMemory compact(GuestRam ram, int size) {
        return aligned(ram, size, SplitDescriptor.ALIGNMENT, AvailableRing.ALIGNMENT, UsedRing.ALIGNMENT);
    }

    /**
     * Parts one after the other for a device behind an IOMMU, in physical pages of random order. Between them lies a
     * page of addresses that belongs to none.
     *
     * @param ram           where to take the pages from
     * @param size          entries, a power of two up to 32,768
     * @param deviceAddress I/O-virtual address of the descriptor table, a multiple of 16
     * @param random        decides the order of the pages
     * @return the memory, zeroed; the driver has to map each page of each part
     * @throws IllegalArgumentException if the size is no such number
     * @throws IllegalStateException if there is not enough memory left
     */
    public static QueueMemory shuffled(GuestRam ram, int size, long deviceAddress, Random random) {
        GuestBuffer descriptors = ram.shuffled(deviceAddress, size * SplitDescriptor.SIZE, random);
        GuestBuffer available = ram.shuffled(pageAfter(descriptors), AvailableRing.size(size), random);
        GuestBuffer used = ram.shuffled(pageAfter(available), UsedRing.size(size), random);
        return new QueueMemory(size, descriptors, available, used);
    }

    /** Fills all three parts with zeros, as a driver does before it hands them to a device (section 2.7.10.1). */
    public void clear() {
        descriptorTable.fill(0, descriptorTable.length(), 0);
        availableRing.fill(0, availableRing.length(), 0);
        usedRing.fill(0, usedRing.length(), 0);
    }

    private static QueueMemory aligned(GuestRam ram, int size, long descriptors, long available, long used) {
        return new QueueMemory(size,
                ram.buffer(size * SplitDescriptor.SIZE, descriptors),
                ram.buffer(AvailableRing.size(size), available),
                ram.buffer(UsedRing.size(size), used));
    }

    private static long pageAfter(GuestBuffer buffer) {
        long last = buffer.address() + buffer.length() - 1;
        return (last & -GuestMemory.PAGE_SIZE) + 2 * GuestMemory.PAGE_SIZE;
    }

    private static void checkLength(String part, GuestBuffer buffer, long needed) {
        if (buffer.length() < needed) {
            throw new IllegalArgumentException(part + "=" + buffer + ", but " + needed + " bytes are needed");
        }
    }
}
