// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.iommu.table.MappingTree;
import org.virtio4j.iommu.table.NodeSpace;

/**
 * What an endpoint can be attached to, and the states of being attached to nothing. Readers see the kind and the table;
 * the rest belongs to the control lock. Objects are recycled: one that ended serves again only after a grace period.
 */
public final class Domain {

    /** What an endpoint that refers to a domain may do. */
    public enum Kind {
        /** Translate through the table. */
        MAPPED,
        /** Reach guest-physical addresses: the ATTACH had the BYPASS flag. */
        BYPASS,
        /** Attached to nothing: the bypass byte of the configuration decides. */
        UNATTACHED,
        /** Attached to nothing since a device reset: nothing, until it is reset or attached again. */
        BLOCKED,
        /** Attached to nothing, and claimed by the host: nothing. */
        CLAIMED,
        /** Behind this IOMMU no more: nothing, for good. */
        UNPLUGGED
    }

    /** The list of so many endpoints is never shortened. */
    private static final int FEW = 16;
    /** A longer one is, when this part of it is left. */
    private static final int SHORT_PART = 4;

    private final MappingTable table;

    private final ArrayList<Endpoint> endpoints = new ArrayList<>(2);
    /** How many there were at most since the list was shortened. */
    private int mostEndpoints;

    /** What its endpoints must not have mapped, each distinct set once: the first so many of the array. */
    private ReservedPages[] reserved = new ReservedPages[2];
    private int reservedSets;

    /** The listeners that know the mappings. */
    private final ArrayList<Mirror> mirrors = new ArrayList<>(1);
    private Kind kind;
    private int id;

    /** Whether no MAP of this life was answered yet. */
    private boolean untouched;

    Domain(Kind kind, NodeSpace space) {
        this.kind = kind;
        this.table = new MappingTree(space);
    }

    /** Gives the object a new life; the release is the attachment that publishes it. */
    void begin(int number, Kind as) {
        id = number;
        kind = as;
        untouched = true;
    }

    /**
     * Whether no MAP has succeeded since the domain began. Under the control lock.
     *
     * @return false after {@link #touched}
     */
    public boolean isUntouched() {
        return untouched;
    }

    /** Notes that a MAP has succeeded. Under the control lock. */
    public void touched() {
        untouched = false;
    }

    /**
     * What its endpoints may do. Under the control lock, or inside a section.
     *
     * @return the same until the domain ends
     */
    public Kind kind() {
        return kind;
    }

    /**
     * The mappings. Readers call {@link MappingTable#find} inside a section; the rest needs the control lock.
     *
     * @return the same object for good; empty unless the kind is {@link Kind#MAPPED}
     */
    public MappingTable table() {
        return table;
    }

    /**
     * The number that the driver chose. Under the control lock.
     *
     * @return an unsigned number; means nothing for the states of being attached to nothing
     */
    public int id() {
        return id;
    }

    boolean isAttachment() {
        return kind == Kind.MAPPED || kind == Kind.BYPASS;
    }

    void add(Endpoint endpoint) {
        if (!has(endpoint.pages())) {
            if (reservedSets == reserved.length) {
                reserved = Arrays.copyOf(reserved, 2 * reservedSets);
            }
            reserved[reservedSets++] = endpoint.pages();
        }
        endpoints.add(endpoint);
        mostEndpoints = Math.max(mostEndpoints, endpoints.size());
    }

    void remove(Endpoint endpoint) {
        endpoints.remove(endpoint);
        if (!has(endpoint.pages())) {
            drop(endpoint.pages());
        }
        shorten();
    }

    /** Else a guest that moves all endpoints through all domains makes each domain's list as long as all of them. */
    private void shorten() {
        if (mostEndpoints > FEW && endpoints.size() <= mostEndpoints / SHORT_PART) {
            endpoints.trimToSize();
            reserved = Arrays.copyOf(reserved, Math.max(2, reservedSets));
            mostEndpoints = endpoints.size();
        }
    }

    /** How many distinct sets of reserved regions its endpoints have. */
    int reservedSets() {
        return reservedSets;
    }

    private void drop(ReservedPages pages) {
        reservedSets--;
        for (int i = 0; i < reservedSets; i++) {
            if (reserved[i].sameAs(pages)) {
                reserved[i] = reserved[reservedSets];
            }
        }
        reserved[reservedSets] = ReservedPages.NONE;
    }

    private boolean has(ReservedPages pages) {
        for (int i = 0; i < endpoints.size(); i++) {
            if (endpoints.get(i).pages().sameAs(pages)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether an endpoint has reserved addresses in a range. Under the control lock.
     *
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return true if the range must not be mapped here
     */
    public boolean reserves(long virtStart, long virtEnd) {
        for (int i = 0; i < reservedSets; i++) {
            if (reserved[i].overlaps(virtStart, virtEnd)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether no endpoint is attached: then it has ended, or no endpoint has come yet.
     *
     * @return false if one is attached
     */
    public boolean isEmpty() {
        return endpoints.isEmpty();
    }

    /**
     * The endpoints that are attached. Under the control lock.
     *
     * @return the list itself, which callers must not change
     */
    public List<Endpoint> endpoints() {
        return endpoints;
    }

    /**
     * Whether listeners know the mappings, and must be asked before one is made. Under the control lock.
     *
     * @return true if an endpoint of one is attached
     */
    public boolean isMirrored() {
        return !mirrors.isEmpty();
    }

    List<Mirror> mirrors() {
        return mirrors;
    }

    /** Whether a device at any endpoint remembers translations. */
    boolean isRemembered() {
        boolean remembered = false;
        for (int i = 0; i < endpoints.size(); i++) {
            remembered |= endpoints.get(i).caches().isInUse();
        }
        return remembered;
    }

    /** Makes the devices at all endpoints forget what lay inside a range; the end is inclusive. */
    void forget(long virtStart, long virtEnd) {
        for (int i = 0; i < endpoints.size(); i++) {
            endpoints.get(i).caches().forget(virtStart, virtEnd);
        }
    }

    /**
     * Whether nothing is mapped yet where an endpoint must not have mappings. Under the control lock.
     *
     * @param regions the reserved regions of that endpoint
     * @return true if no mapping overlaps any of them
     */
    public boolean accepts(ReservedRegions regions) {
        for (int i = 0; i < regions.list().size(); i++) {
            ReservedRegion region = regions.list().get(i);
            if (table.overlaps(region.start(), region.end())) {
                return false;
            }
        }
        return true;
    }
}
