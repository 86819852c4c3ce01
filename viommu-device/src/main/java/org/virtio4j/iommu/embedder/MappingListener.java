// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

/**
 * Mirrors the mappings of an IOMMU elsewhere, for instance into a host's IOMMU. The embedder implements it.
 *
 * <p>A listener is asked before a change is made, and a change that one of them refuses is not made at all: those that
 * had agreed are asked to take it back. Calls come one at a time, under the control lock of the IOMMU, and must not
 * call back into it.
 *
 * <p>Under that lock a listener may read status, configuration and configuration generation of any device. It must call
 * nothing else of a device: a thread that waits for this IOMMU may hold the lock of that device.
 */
public interface MappingListener {

    /** What a listener says to a change. */
    enum Answer {
        /** Done. */
        DONE,
        /** Not done for lack of room; the driver gets NOMEM. */
        NO_ROOM,
        /** Not done; the driver gets DEVERR. */
        FAILED
    }

    /**
     * A mapping is about to be made.
     *
     * @param domain    the domain's number
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flags     READ, WRITE and MMIO bits of MAP
     * @return whether it is mirrored
     */
    Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags);

    /**
     * A mapping is about to be removed: by UNMAP, by the end of its domain, or because a later listener refused it.
     *
     * @param domain    the domain's number
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return whether the mirror has removed it; only UNMAP can be refused
     */
    Answer unmap(int domain, long virtStart, long virtEnd);

    /**
     * An endpoint begins to see a domain. Its mappings were announced before.
     *
     * @param endpoint the endpoint's id
     * @param domain   the domain's number
     */
    void attached(int endpoint, int domain);

    /**
     * An endpoint no longer sees a domain.
     *
     * @param endpoint the endpoint's id
     * @param domain   the domain's number
     */
    void detached(int endpoint, int domain);
}
