// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import org.virtio4j.vmm.GuestMemory;

/**
 * Mirrors the mappings of an IOMMU elsewhere, for instance into a host's IOMMU. The embedder implements it, and joins
 * it for all endpoints or for some: {@link org.virtio4j.iommu.VirtioIommuBuilder#mappingListener}, {@link
 * org.virtio4j.iommu.VirtioIommu#join}.
 *
 * <p>A listener hears of a domain while one of its endpoints is attached to it. {@link #attach} comes first; with the
 * first endpoint, a batch of all mappings follows. With the last one, an {@link #unmap} of all addresses comes, then
 * {@link #detached}.
 *
 * <p>MAP and ATTACH, and the replay to a listener that joins, are all or nothing. Listeners are asked before the change
 * is made; if one refuses, the others are asked to take it back, and nothing has changed. An UNMAP cannot be refused:
 * it is made first and announced then. A listener that does not carry it out is {@linkplain #expelled expelled}.
 *
 * <p>Calls come one at a time, under the control lock of the IOMMU, and must not call back into it. Under that lock a
 * listener may read status, configuration and configuration generation of any device. It must call nothing else of a
 * device: a thread that waits for this IOMMU may hold the lock of that device.
 *
 * <p>What a method throws counts as {@link Answer#FAILED}, and comes out of the call that served the request.
 */
public interface MappingListener {

    /** What a listener says to a change. */
    enum Answer {
        /** Done. */
        DONE,
        /** Not done for lack of room; the driver gets NOMEM. */
        NO_ROOM,
        /** Not done; the driver gets DEVERR. */
        FAILED,
        /** Cannot be done for this endpoint. The driver gets UNSUPP for an ATTACH, and DEVERR otherwise. */
        UNSUPPORTED
    }

    /**
     * The page sizes that can be mirrored. The granule of the IOMMU must not be smaller than the smallest of them.
     *
     * @return the lowest bit is the smallest size, in bytes; the same each time
     */
    default long pageSizeMask() {
        return GuestMemory.PAGE_SIZE;
    }

    /**
     * Whether {@link #unmap} may name a part of what one {@link #map} has named. Mappings of one batch that continue
     * each other are then announced as one.
     *
     * @return the same each time
     */
    default boolean canSplit() {
        return false;
    }

    /**
     * Whether there is room for the mappings of one domain alone, as in one address space of a host. All endpoints of
     * this listener must then be attached to the same domain; an ATTACH that would part them gets UNSUPP. When they
     * move, the mappings of the former domain are taken back before those of the new one come. If the move is refused,
     * the former ones are announced again.
     *
     * @return the same each time
     */
    default boolean holdsOneDomain() {
        return false;
    }

    /**
     * An endpoint is about to see a domain. One that moves sees two for a moment: this comes first, and {@link
     * #detached} from the former domain when the move is certain, or from the new one if it was refused. Only with
     * {@link #holdsOneDomain} does it leave the former one before.
     *
     * @param endpoint the endpoint's id
     * @param domain   the domain's number
     * @param bypass   whether addresses mean themselves in this domain, which then has no mappings
     * @return whether it can
     */
    Answer attach(int endpoint, int domain, boolean bypass);

    /**
     * An endpoint no longer sees a domain.
     *
     * @param endpoint the endpoint's id
     * @param domain   the domain's number
     */
    void detached(int endpoint, int domain);

    /**
     * Mappings of a domain follow, and {@link #commit} after the last. If one of these calls is refused, no further
     * ones of this batch come, and {@link #unmap} is called for all that {@link #map} has answered DONE to.
     *
     * @param domain the domain's number
     */
    default void begin(int domain) {
        // A listener that maps one by one needs no beginning.
    }

    /**
     * A mapping is about to be made.
     *
     * @param domain    the domain's number
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flags     READ, WRITE and MMIO bits of MAP
     * @return whether it is mirrored, or will be by {@link #commit}
     */
    Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags);

    /**
     * The batch ends: all of it must be in effect when this returns.
     *
     * @param domain the domain's number
     * @return whether it is
     */
    default Answer commit(int domain) {
        return Answer.DONE;
    }

    /**
     * Mappings are removed, or were not made after all: everything that is mirrored inside a range, which may be many
     * mappings or none. When this returns, no access of the endpoints may reach what they meant.
     *
     * @param domain    the domain's number
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive; no mapping lies partly inside, but for {@link #canSplit}
     * @return DONE; by anything else the listener is expelled
     */
    Answer unmap(int domain, long virtStart, long virtEnd);

    /**
     * This listener has not carried an unmap out, and is not called again. For the guest, its endpoints are blocked,
     * and an ATTACH of one gets UNSUPP, until the embedder calls {@link org.virtio4j.iommu.VirtioIommu#leave}. What the
     * listener stands for must be cut off here: none of its endpoints may reach memory when this returns.
     */
    default void expelled() {
        // A listener that only copies has nothing to cut off.
    }
}
