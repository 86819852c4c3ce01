// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import org.virtio4j.wire.iommu.ProbeRequest;

/**
 * A request that was served, as an {@link IommuListener} sees it: one object for all requests of an IOMMU, so a
 * listener may not keep it. The fields of the request mean something where its type has them and it was {@link
 * #understood}. The device implements it.
 */
public interface ServedRequest {

    /** The most readable bytes of a request that are looked at, and so can be had: those of the longest type. */
    int MOST_BYTES = (int) ProbeRequest.SIZE;

    /**
     * Whether there is an answer. A request that is too short, cannot be read, or has a type that was not negotiated
     * goes back unwritten.
     *
     * @return false for one of these
     */
    boolean understood();

    /**
     * What is asked.
     *
     * @return one of {@link org.virtio4j.wire.iommu.RequestType} if it was understood
     */
    int type();

    /**
     * The answer.
     *
     * @return one of {@link org.virtio4j.wire.iommu.RequestStatus}
     */
    int status();

    /**
     * How many mappings are gone: those an UNMAP removed, or those of the domain that an endpoint was the last to leave
     * by ATTACH or DETACH.
     *
     * @return a count
     */
    long removed();

    /**
     * The domain.
     *
     * @return its number, unsigned
     */
    int domain();

    /**
     * The endpoint.
     *
     * @return its id
     */
    int endpoint();

    /**
     * Flags of ATTACH or MAP.
     *
     * @return as the driver wrote them
     */
    int flags();

    /**
     * First address of MAP or UNMAP.
     *
     * @return I/O-virtual address
     */
    long virtStart();

    /**
     * Last address of MAP or UNMAP.
     *
     * @return I/O-virtual address, inclusive
     */
    long virtEnd();

    /**
     * What a MAP leads to.
     *
     * @return guest-physical address
     */
    long physStart();

    /**
     * How much of the driver's buffer could be read.
     *
     * @return bytes
     */
    long readableLength();

    /**
     * How much of the driver's buffer could be written.
     *
     * @return bytes
     */
    long writableLength();

    /**
     * The used length.
     *
     * @return bytes that were written without a gap
     */
    long usedLength();

    /**
     * The request as it was read.
     *
     * @param to gets the bytes, room for {@link #MOST_BYTES} at least
     * @return how many: fewer than {@link #readableLength} where that is more than is looked at; 0 for a request that
     *         could not be read
     * @throws IllegalStateException if no listener of the IOMMU {@linkplain IommuListener#recordsTraffic records}, so
     *                               that the bytes were not kept
     */
    int copyReadable(byte[] to);

    /**
     * The answer as it was written.
     *
     * @param to gets the bytes, room for probe size and tail at least
     * @return how many, {@link #usedLength}
     */
    int copyWritten(byte[] to);
}
