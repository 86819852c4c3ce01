// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import org.virtio4j.vmm.Access;

/**
 * What an {@link AddressLookup} found last: one extent, which stays valid until the section ends, because within a
 * section nothing that was translated goes away. Owned by the thread of the handle.
 */
public final class LastTranslation implements ExtentSink {

    private long virtStart;
    private long virtEnd;
    private long physStart;
    private int permitted;

    /** Nothing was found yet. */
    LastTranslation() {
    }

    @Override
    public void extent(long virtStart, long virtEnd, long physStart, int permitted) {
        this.virtStart = virtStart;
        this.virtEnd = virtEnd;
        this.physStart = physStart;
        this.permitted = permitted;
    }

    /** Drops what was found: at the start of a section, and when an address was refused. */
    public void clear() {
        permitted = 0;
    }

    long virtStart() {
        return virtStart;
    }

    long virtEnd() {
        return virtEnd;
    }

    long physStart() {
        return physStart;
    }

    int permitted() {
        return permitted;
    }

    void copyTo(ExtentSink out) {
        out.extent(virtStart, virtEnd, physStart, permitted);
    }

    /**
     * Whether the extent is for messages alone, see {@link ExtentSink#MESSAGES}.
     *
     * @return true where no memory may be reached
     */
    public boolean onlyMessages() {
        return permitted == MESSAGES;
    }

    boolean allows(long iova, Access access) {
        return (permitted & access.mask()) != 0
                && Long.compareUnsigned(iova - virtStart, virtEnd - virtStart) <= 0;
    }

    /**
     * What an address of this extent means.
     *
     * @param iova I/O-virtual address in the extent
     * @return guest-physical address
     */
    public long gpa(long iova) {
        return physStart + (iova - virtStart);
    }

    /**
     * How many bytes of this extent follow an address: one less than those from the address on, so that 2^64 does not
     * overflow.
     *
     * @param iova I/O-virtual address in the extent
     * @return bytes, unsigned
     */
    public long after(long iova) {
        return virtEnd - iova;
    }
}
