// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.hostile;

import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

/**
 * The fields of a split virtqueue as they lie in memory, to be read and written one by one, both the driver's and the
 * device's. For tests that break rules, and for playing the device against a driver: nothing is checked, nothing is
 * counted, and a {@link DriverQueue} on the same memory does not notice.
 *
 * <p>Slots of the two rings are counted modulo the queue size, indexes modulo 65,536. Only the two indexes are ordered:
 * they are read with acquire and written with release. Any thread.
 */
public final class RawRing {

    private final GuestBuffer descriptors;
    private final GuestBuffer available;
    private final GuestBuffer used;
    private final int size;

    /**
     * Looks at a queue.
     *
     * @param memory where it lies
     */
    public RawRing(QueueMemory memory) {
        this.descriptors = memory.descriptorTable();
        this.available = memory.availableRing();
        this.used = memory.usedRing();
        this.size = memory.size();
    }

    /**
     * Writes a descriptor.
     *
     * @param index   its place in the table, 0 to size − 1
     * @param address what goes into {@code addr}
     * @param length  its low 32 bits go into {@code len}
     * @param flags   its low 16 bits go into {@code flags}, see {@link SplitDescriptor}
     * @param next    its low 16 bits go into {@code next}
     */
    public void putDescriptor(int index, long address, long length, int flags, int next) {
        putDescriptor(descriptors, index, address, length, flags, next);
    }

    /**
     * Writes a descriptor into an indirect table.
     *
     * @param table   the table, at any alignment
     * @param index   its place in the table
     * @param address what goes into {@code addr}
     * @param length  its low 32 bits go into {@code len}
     * @param flags   its low 16 bits go into {@code flags}, see {@link SplitDescriptor}
     * @param next    its low 16 bits go into {@code next}
     */
    public static void putDescriptor(GuestBuffer table, int index, long address, long length, int flags, int next) {
        long at = index * SplitDescriptor.SIZE;
        table.putI64(at + SplitDescriptor.ADDR, address);
        table.putI32(at + SplitDescriptor.LEN, (int) length);
        table.putU16(at + SplitDescriptor.FLAGS, flags);
        table.putU16(at + SplitDescriptor.NEXT, next);
    }

    /**
     * Reads a descriptor's address.
     *
     * @param index its place in the table, 0 to size − 1
     * @return {@code addr}
     */
    public long descriptorAddress(int index) {
        return descriptors.i64(index * SplitDescriptor.SIZE + SplitDescriptor.ADDR);
    }

    /**
     * Reads a descriptor's length.
     *
     * @param index its place in the table, 0 to size − 1
     * @return {@code len}, bytes
     */
    public long descriptorLength(int index) {
        return descriptors.u32(index * SplitDescriptor.SIZE + SplitDescriptor.LEN);
    }

    /**
     * Reads a descriptor's flags.
     *
     * @param index its place in the table, 0 to size − 1
     * @return {@code flags}, see {@link SplitDescriptor}
     */
    public int descriptorFlags(int index) {
        return descriptors.u16(index * SplitDescriptor.SIZE + SplitDescriptor.FLAGS);
    }

    /**
     * Reads which descriptor follows.
     *
     * @param index its place in the table, 0 to size − 1
     * @return {@code next}
     */
    public int descriptorNext(int index) {
        return descriptors.u16(index * SplitDescriptor.SIZE + SplitDescriptor.NEXT);
    }

    /**
     * Reads what the driver says about used buffer notifications without EVENT_IDX.
     *
     * @return the available ring's {@code flags}
     */
    public int availableFlags() {
        return available.u16(AvailableRing.FLAGS);
    }

    /**
     * Writes the available ring's {@code flags}.
     *
     * @param flags its low 16 bits count
     */
    public void availableFlags(int flags) {
        available.putU16(AvailableRing.FLAGS, flags);
    }

    /**
     * Reads the available index.
     *
     * @return where the driver writes next, 0 to 65,535
     */
    public int availableIndex() {
        return available.u16Acquire(AvailableRing.IDX);
    }

    /**
     * Writes the available index.
     *
     * @param index its low 16 bits count
     */
    public void availableIndex(int index) {
        available.putU16Release(AvailableRing.IDX, index);
    }

    /**
     * Reads an entry of the available ring.
     *
     * @param slot any number of 0 or more; counted modulo the size
     * @return the head of a chain
     */
    public int availableEntry(int slot) {
        return available.u16(AvailableRing.RING + (slot & (size - 1)) * AvailableRing.ENTRY_SIZE);
    }

    /**
     * Writes an entry of the available ring.
     *
     * @param slot any number of 0 or more; counted modulo the size
     * @param head its low 16 bits count
     */
    public void availableEntry(int slot, int head) {
        available.putU16(AvailableRing.RING + (slot & (size - 1)) * AvailableRing.ENTRY_SIZE, head);
    }

    /**
     * Reads {@code used_event}.
     *
     * @return the used index after whose writing the driver wants a notification
     */
    public int usedEvent() {
        return available.u16(AvailableRing.usedEvent(size));
    }

    /**
     * Writes {@code used_event}.
     *
     * @param event its low 16 bits count
     */
    public void usedEvent(int event) {
        available.putU16(AvailableRing.usedEvent(size), event);
    }

    /**
     * Reads what the device says about available buffer notifications without EVENT_IDX.
     *
     * @return the used ring's {@code flags}
     */
    public int usedFlags() {
        return used.u16(UsedRing.FLAGS);
    }

    /**
     * Writes the used ring's {@code flags}.
     *
     * @param flags its low 16 bits count
     */
    public void usedFlags(int flags) {
        used.putU16(UsedRing.FLAGS, flags);
    }

    /**
     * Reads the used index.
     *
     * @return where the device writes next, 0 to 65,535
     */
    public int usedIndex() {
        return used.u16Acquire(UsedRing.IDX);
    }

    /**
     * Writes the used index.
     *
     * @param index its low 16 bits count
     */
    public void usedIndex(int index) {
        used.putU16Release(UsedRing.IDX, index);
    }

    /**
     * Reads which chain a used element gives back.
     *
     * @param slot any number of 0 or more; counted modulo the size
     * @return {@code id}
     */
    public long usedId(int slot) {
        return used.u32(element(slot) + UsedRing.ELEMENT_ID);
    }

    /**
     * Reads the length of a used element.
     *
     * @param slot any number of 0 or more; counted modulo the size
     * @return {@code len}, bytes
     */
    public long usedLength(int slot) {
        return used.u32(element(slot) + UsedRing.ELEMENT_LEN);
    }

    /**
     * Writes a used element.
     *
     * @param slot   any number of 0 or more; counted modulo the size
     * @param id     its low 32 bits go into {@code id}
     * @param length its low 32 bits go into {@code len}
     */
    public void putUsed(int slot, long id, long length) {
        used.putI32(element(slot) + UsedRing.ELEMENT_ID, (int) id);
        used.putI32(element(slot) + UsedRing.ELEMENT_LEN, (int) length);
    }

    /**
     * Reads {@code avail_event}.
     *
     * @return the available index after whose writing the device wants a notification
     */
    public int availableEvent() {
        return used.u16(UsedRing.availEvent(size));
    }

    /**
     * Writes {@code avail_event}.
     *
     * @param event its low 16 bits count
     */
    public void availableEvent(int event) {
        used.putU16(UsedRing.availEvent(size), event);
    }

    private long element(int slot) {
        return UsedRing.RING + (slot & (size - 1)) * UsedRing.ELEMENT_SIZE;
    }
}
