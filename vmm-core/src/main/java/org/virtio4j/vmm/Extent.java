// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/**
 * What a handle translated last, kept for the rest of the section: within a section nothing that was translated goes
 * away.
 */
final class Extent implements ExtentSink {

    private long virtStart;
    private long virtEnd;
    private long physStart;
    private int permitted;

    @Override
    public void extent(long virtStart, long virtEnd, long physStart, int permitted) {
        this.virtStart = virtStart;
        this.virtEnd = virtEnd;
        this.physStart = physStart;
        this.permitted = permitted;
    }

    void clear() {
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

    /** Whether what was found is for messages alone. */
    boolean onlyMessages() {
        return permitted == MESSAGES;
    }

    boolean allows(long iova, Access access) {
        return (permitted & access.mask()) != 0
                && Long.compareUnsigned(iova - virtStart, virtEnd - virtStart) <= 0;
    }

    long physical(long iova) {
        return physStart + (iova - virtStart);
    }

    /**
     * How many bytes follow {@code iova} in this extent; one less than those that lie in it, so that 2^64 is no
     * overflow.
     */
    long after(long iova) {
        return virtEnd - iova;
    }
}
