// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.grace.GracePeriods;

/**
 * The domains of an IOMMU, their mappings, and what must be waited for before a change counts as done. All of it
 * belongs to the control lock; readers reach domains through their translators.
 *
 * <p>A domain exists while an endpoint is attached to it, so there are never more domains than endpoints, and their
 * objects are made when endpoints come. What a change takes away (a mapping, an attachment, the bypass) goes at once
 * out of the readers' sight; {@link #gracePeriodIfNeeded} then waits, once for any number of changes, until no reader
 * can be using it.
 */
public final class Domains {

    /** Nodes that may wait for reuse before a batch that took nothing away waits for readers on their account alone. */
    private static final long RETIRED_LIMIT = 512;

    /** Sparse, and as large as it will be before requests fill it. */
    private Int2ObjectHashMap<Domain> domains = roomFor(16);
    private final DomainPool pool;
    private final NodeSpace space;
    private final GracePeriods readers;
    private final long stallLimitNanos;
    private final Limits limits;
    private final FirstFailure deferred;
    private final Invalidation invalidation;
    private long mappings;
    private long gracePeriods;
    private boolean takenAway;
    private boolean closed;

    /**
     * Starts without a domain.
     *
     * @param endpoints       whose devices remember translations
     * @param space           memory of the tables, closed with the last endpoint's attachment
     * @param deferred        keeps what is thrown during a wait
     * @param readers         the sections that a grace period waits for
     * @param limits          how much a driver can have
     * @param stallLimitNanos how long a grace period waits before it is reported, in nanoseconds
     */
    public Domains(Endpoints endpoints, NodeSpace space, FirstFailure deferred, GracePeriods readers, Limits limits,
            long stallLimitNanos) {
        this.deferred = deferred;
        this.invalidation = new Invalidation(endpoints);
        this.space = space;
        this.readers = readers;
        this.stallLimitNanos = stallLimitNanos;
        this.limits = limits;
        this.pool = new DomainPool(space);
    }

    /**
     * A domain by its number.
     *
     * @param id any number
     * @return null if no endpoint is attached to it
     */
    public @Nullable Domain domain(int id) {
        return domains.get(id);
    }

    /**
     * The readers that grace periods wait for. Any thread.
     *
     * @return the same object for good
     */
    public GracePeriods readers() {
        return readers;
    }

    InvalidationCount generation() {
        return invalidation.generation();
    }

    /**
     * What mapping listeners, or the one that hears of stalls, have thrown. The call that serves throws it at the end.
     *
     * @return the same object for good
     */
    public FirstFailure deferred() {
        return deferred;
    }

    /**
     * How many domains have an endpoint.
     *
     * @return at most the number of endpoints
     */
    public int count() {
        return domains.size();
    }

    /**
     * How many mappings all domains have together; those of an ended domain do not count.
     *
     * @return a count
     */
    public long mappings() {
        return mappings;
    }

    /**
     * Whether one more mapping is within the limits.
     *
     * @param domain of kind {@link Domain.Kind#MAPPED}
     * @return false if MAP must be refused
     */
    public boolean hasRoom(Domain domain) {
        return mappings < limits.mappings() && domain.table().size() < limits.mappingsPerDomain();
    }

    /**
     * Whether several more mappings are within the limits.
     *
     * @param domain of kind {@link Domain.Kind#MAPPED}
     * @param more   how many, at least 1
     * @return false if the last of them must be refused
     */
    public boolean hasRoom(Domain domain, int more) {
        return mappings + more <= limits.mappings() && domain.table().size() + more <= limits.mappingsPerDomain();
    }

    /** Whether one more domain is within the limit after some have ended. */
    boolean hasRoomForDomain(int ending) {
        return domains.size() - ending < limits.domains();
    }

    /**
     * How often a change has waited for readers.
     *
     * @return a count that only grows
     */
    public long gracePeriods() {
        return gracePeriods;
    }

    /**
     * Off-heap memory that the tables use.
     *
     * @return bytes; 0 once closed
     */
    public long bytesInUse() {
        return closed ? 0 : space.bytesInUse();
    }

    /**
     * Gives the memory of the tables back, once no endpoint is attached. The order matters, because a reader finds its
     * table by address: the tables go out of the readers' sight, then every section that is open is waited for, and
     * only then the memory goes.
     */
    void close(List<Domain> states) {
        gracePeriod();
        pool.discard();
        states.forEach(state -> state.table().discard());
        closed = true;
        awaitReaders();
        space.reclaim();
        space.close();
    }

    // Domains

    /**
     * Begins a domain, to which an endpoint must be {@linkplain Attachments#attach attached} next. Waits for readers if
     * the only objects left are those of domains that ended since the last grace period.
     *
     * @param id   a number that no domain has
     * @param kind {@link Domain.Kind#MAPPED} or {@link Domain.Kind#BYPASS}
     * @return a domain without mappings
     */
    public Domain begin(int id, Domain.Kind kind) {
        if (pool.isEmpty()) {
            gracePeriod();
        }
        Domain fresh = pool.take();
        fresh.begin(id, kind);
        domains.put(id, fresh);
        return fresh;
    }

    /** Ends a domain to which no endpoint was ever attached. */
    void cancel(Domain domain) {
        domains.remove(domain.id());
        pool.putBack(domain);
    }

    /** Ends a domain if no endpoint is attached to it. */
    void endIfEmpty(Domain domain) {
        if (domain.isEmpty()) {
            domains.remove(domain.id());
            // The mappings stay until no section can be inside: a reader that saw the old attachment still finds what
            // that meant.
            mappings -= domain.table().size();
            pool.end(domain);
        }
    }

    /** Makes objects for so many endpoints, if there are fewer. */
    void provide(int endpoints) {
        if (space.retired() != 0 && !space.hasRoomForTable()) {
            gracePeriod();
        }
        if (endpoints >= domains.resizeThreshold()) {
            Int2ObjectHashMap<Domain> larger = roomFor(endpoints);
            larger.putAll(domains);
            domains = larger;
        }
        pool.provide(endpoints);
    }

    private static Int2ObjectHashMap<Domain> roomFor(int endpoints) {
        return new Int2ObjectHashMap<>(4 * endpoints + 8, 0.5f);
    }

    /** Some endpoints are not attached as they were; each of those knows it. */
    void moved() {
        invalidation.moved();
        takenAway = true;
    }

    // Mappings

    /**
     * Adds a mapping to a domain. Waits for readers if memory is short and some may come back by that. The limit is not
     * checked here: {@link #hasRoom}.
     *
     * @param domain    of kind {@link Domain.Kind#MAPPED}
     * @param virtStart first I/O-virtual address, a multiple of 4096
     * @param virtEnd   last I/O-virtual address, inclusive, the last byte of a 4096-byte page
     * @param physStart guest-physical address that {@code virtStart} means, a multiple of 4096
     * @param flags     a sum of READ 1, WRITE 2 and MMIO 4
     * @return whether the mapping is in the table, or why not
     * @throws IllegalArgumentException if the range is inverted or something is not aligned
     */
    public MappingTable.Insertion insert(Domain domain, long virtStart, long virtEnd, long physStart, int flags) {
        MappingTable.Insertion result = domain.table().insert(virtStart, virtEnd, physStart, flags);
        if (result == MappingTable.Insertion.FULL && (takenAway || space.retired() != 0)) {
            // What was removed since the last grace period rests, nodes and slots alike, and may be all that is left.
            gracePeriod();
            result = domain.table().insert(virtStart, virtEnd, physStart, flags);
        }
        if (result == MappingTable.Insertion.INSERTED) {
            mappings++;
        }
        return result;
    }

    /**
     * Removes the mappings inside a range. Waits for readers if there is no memory to rearrange the others. Readers may
     * use what was removed until {@link #gracePeriodIfNeeded} returns.
     *
     * @param domain    of kind {@link Domain.Kind#MAPPED}
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return whether it was done, or why nothing was
     * @throws IllegalArgumentException if the range is inverted
     */
    public MappingTable.Removal remove(Domain domain, long virtStart, long virtEnd) {
        MappingTable.Removal result = domain.table().remove(virtStart, virtEnd);
        if (result == MappingTable.Removal.FULL) {
            gracePeriod();
            result = domain.table().remove(virtStart, virtEnd);
        }
        if (result == MappingTable.Removal.REMOVED && domain.table().removed() != 0) {
            mappings -= domain.table().removed();
            invalidation.unmapped(domain, virtStart, virtEnd);
            takenAway = true;
        }
        return result;
    }

    // Grace periods

    /** Says that the bypass was taken from the readers, or given to them. */
    public void changedBypass() {
        invalidation.bypassChanged();
        takenAway = true;
    }

    /**
     * Called before a batch is made visible: afterwards no section uses what the batch took away. What listeners have
     * thrown meanwhile comes out when the wait is over.
     */
    public void gracePeriodIfNeeded() {
        if (takenAway || space.retired() > RETIRED_LIMIT) {
            gracePeriod();
            deferred.rethrow();
        }
    }

    private void awaitReaders() {
        try {
            readers.awaitAll(stallLimitNanos);
        } catch (RuntimeException | Error failure) {
            // Out of the listener that was told of a long wait; the wait itself went to its end.
            deferred.add(failure);
        }
    }

    /** Waits until no section uses what was taken away until now, and makes it free. */
    void gracePeriod() {
        // First the generation, then the wait: a section that saw the old generation began before, and is waited for.
        // The caches come before the wait, too: what a section finds there, it may use until it ends.
        invalidation.forget();
        awaitReaders();
        gracePeriods++;
        takenAway = false;
        pool.recycle();
        // The nodes of ended domains too: no reader that came after the wait began can have found them.
        space.reclaim();
    }
}
