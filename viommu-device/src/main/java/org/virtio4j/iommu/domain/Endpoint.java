// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** A device behind the IOMMU: what it may not map, and what it is attached to just now. */
public final class Endpoint {

    private final int id;
    private final ReservedRegions regions;
    private final TranslationCaches caches = new TranslationCaches();

    /** The same object as that of each endpoint with equal regions; set before the endpoint is published. */
    private ReservedPages pages;

    /** Set before the endpoint is published. */
    private @Nullable EndpointGroup group;

    /**
     * The attachment is this one word: a reader sees the old domain or the new one, never anything in between.
     * Volatile, so that the domain's own fields are visible to every thread that sees it.
     */
    private volatile @Nullable Domain domain;

    /** How many ways to memory its devices have open; guarded by the control lock. */
    private int open;

    /** The first doorbell that was mapped and none of its regions holds; guarded by the control lock. */
    private long doorbellVirt;
    private long doorbellPhys;
    private boolean doorbellMapped;
    private boolean doorbellTold;

    /** Whether the caches may hold what was found through another attachment; guarded by the control lock. */
    private boolean moved;

    /**
     * Makes an endpoint that belongs to no IOMMU yet; {@link Attachments#plug} takes it over.
     *
     * @param id      the number that the driver uses
     * @param regions where it must not have mappings
     */
    public Endpoint(int id, ReservedRegions regions) {
        this.id = id;
        this.regions = regions;
        this.pages = new ReservedPages(regions);
    }

    /**
     * The number that the driver uses.
     *
     * @return an unsigned number
     */
    public int id() {
        return id;
    }

    /**
     * Where it must not have mappings, in the order of a PROBE.
     *
     * @return the same object for good
     */
    public ReservedRegions regions() {
        return regions;
    }

    /**
     * The reserved regions, for look-ups.
     *
     * @return the same object for good
     */
    public ReservedPages pages() {
        return pages;
    }

    void share(ReservedPages equal) {
        pages = equal;
    }

    /**
     * What is attached together with it, itself included.
     *
     * @return the same object for good
     * @throws NullPointerException if no {@link Endpoints} have taken the endpoint over
     */
    public EndpointGroup group() {
        return Objects.requireNonNull(group);
    }

    void group(EndpointGroup shared) {
        group = shared;
    }

    /**
     * What it is attached to: one volatile load. Under the control lock, or inside a section.
     *
     * @return a domain, or one of the states of being attached to nothing
     * @throws NullPointerException if no {@link Attachments} have taken the endpoint over
     */
    public Domain domain() {
        return Objects.requireNonNull(domain);
    }

    void domain(Domain attached) {
        domain = attached;
        moved = true;
    }

    /**
     * Whether it is behind the IOMMU. Any thread.
     *
     * @return false for good once it was unplugged
     */
    public boolean isPlugged() {
        return domain().kind() != Domain.Kind.UNPLUGGED;
    }

    /** Whether a device behind it could have DMA on its way. */
    boolean isLive() {
        return open > 0;
    }

    void opened() {
        open++;
    }

    void closed() {
        open--;
    }

    /**
     * Keeps the first doorbell that is mapped without a reserved region. Under the control lock.
     *
     * @param virtStart first I/O-virtual address of the mapping
     * @param physStart guest-physical address that it leads to
     * @return true if it was kept; false for all others until the next reset
     */
    public boolean mappedDoorbell(long virtStart, long physStart) {
        boolean first = !doorbellMapped;
        if (first) {
            doorbellMapped = true;
            doorbellVirt = virtStart;
            doorbellPhys = physStart;
        }
        return first;
    }

    /**
     * Whether listeners are still to be told of the doorbell. Under the control lock.
     *
     * @return true once until the next reset; the caller tells them
     */
    public boolean takeDoorbell() {
        boolean due = doorbellMapped && !doorbellTold;
        doorbellTold |= due;
        return due;
    }

    /**
     * Where the doorbell was mapped. Under the control lock, after {@link #takeDoorbell}.
     *
     * @return an I/O-virtual address
     */
    public long doorbellVirt() {
        return doorbellVirt;
    }

    /**
     * Where the doorbell lies. Under the control lock, after {@link #takeDoorbell}.
     *
     * @return a guest-physical address
     */
    public long doorbellPhys() {
        return doorbellPhys;
    }

    void clearDoorbell() {
        doorbellMapped = false;
        doorbellTold = false;
    }

    // What its devices remember

    TranslationCaches caches() {
        return caches;
    }

    /** Says that nothing in the caches counts any more. */
    void distrust() {
        moved = true;
    }

    /** Empties the caches if the attachment changed; called once the change is out of the readers' sight. */
    void forgetIfMoved() {
        if (moved) {
            caches.forgetAll();
            moved = false;
        }
    }
}
