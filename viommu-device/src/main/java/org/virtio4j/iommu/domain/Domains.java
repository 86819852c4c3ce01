// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.collections.IntHashSet;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.grace.GracePeriods;

/**
 * The endpoints of an IOMMU, the domains they are attached to, and what must be waited for before a change counts as
 * done. All of it belongs to the control lock; readers reach endpoints and domains through their translators.
 *
 * <p>A domain exists while an endpoint is attached to it, so there are never more domains than endpoints, and their
 * objects are made when endpoints come. What a change takes away (a mapping, an attachment, the bypass) goes at once out of the
 * readers' sight; {@link #gracePeriodIfNeeded} then waits, once for any number of changes, until no reader can be using
 * it.
 */
public final class Domains {

    /** Nodes that may wait for reuse before a batch that took nothing away waits for readers on their account alone. */
    private static final long RETIRED_LIMIT = 512;

    private final Endpoints endpoints;
    private final Int2ObjectHashMap<Domain> domains = new Int2ObjectHashMap<>(64, 0.5f);
    private final DomainPool pool;
    private final NodeSpace space;
    private final GracePeriods readers;
    private final long stallLimitNanos;
    private final long maxMappings;
    private final MappingListeners mappingListeners;
    private final FirstFailure deferred;
    private final Invalidation invalidation;
    private final Domain unattached;
    private final Domain blocked;
    private final Domain unplugged;

    /** Those of the ATTACH that is being carried out. */
    private final ArrayList<Endpoint> movers = new ArrayList<>();

    private long mappings;
    private long gracePeriods;
    private boolean takenAway;
    private boolean closed;

    /**
     * Starts without a domain; the endpoints are added by {@link #plug}.
     *
     * @param endpoints        none yet
     * @param space            memory of the tables, closed by {@link #close}
     * @param mappingListeners told of attachments and of domains that end
     * @param readers          the sections that a grace period waits for
     * @param maxMappings      most mappings in all domains together
     * @param stallLimitNanos  how long a grace period waits before it is reported, in nanoseconds
     */
    public Domains(Endpoints endpoints, NodeSpace space, MappingListeners mappingListeners, GracePeriods readers,
            long maxMappings, long stallLimitNanos) {
        this.mappingListeners = mappingListeners;
        this.deferred = mappingListeners.deferred();
        this.endpoints = endpoints;
        this.invalidation = new Invalidation(endpoints);
        this.space = space;
        this.readers = readers;
        this.stallLimitNanos = stallLimitNanos;
        this.maxMappings = maxMappings;
        this.pool = new DomainPool(space);
        this.unattached = new Domain(Domain.Kind.UNATTACHED, space);
        this.blocked = new Domain(Domain.Kind.BLOCKED, space);
        this.unplugged = new Domain(Domain.Kind.UNPLUGGED, space);
    }

    // Endpoints

    /**
     * An endpoint by the number that the driver uses.
     *
     * @param id any number
     * @return null if there is no such endpoint
     */
    public @Nullable Endpoint endpoint(int id) {
        return endpoints.get(id);
    }

    /**
     * Puts an endpoint behind the IOMMU, attached to nothing.
     *
     * @param endpoint one that has not been behind any
     * @throws IllegalArgumentException if one with its id is there, or there are as many as can be
     */
    public void plug(Endpoint endpoint) {
        endpoint.domain(mappingListeners.bars(endpoint) ? blocked : unattached);
        endpoints.add(endpoint);
        if (space.retired() != 0 && !space.hasRoomForTable()) {
            gracePeriod();
        }
        pool.provide(endpoints.all().size());
    }

    /**
     * Takes an endpoint away: it leaves its domain, and reaches nothing for good. Waits for readers, so that none uses
     * its translations when this returns.
     *
     * @param endpoint one that is behind the IOMMU
     */
    public void unplug(Endpoint endpoint) {
        release(endpoint, unplugged);
        blockExpelled();
        // Before it goes out of the list by which the caches of its devices are found.
        gracePeriod();
        endpoints.remove(endpoint);
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
     * Whether one more mapping is within the limit.
     *
     * @return false if MAP must be refused
     */
    public boolean hasRoom() {
        return mappings < maxMappings;
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
     * Ends every attachment for good and gives the memory of the tables back; afterwards every endpoint is blocked. The
     * order matters, because a reader finds its table by address: the tables go out of the readers' sight, then every
     * section that is open is waited for, and only then the memory goes.
     */
    public void close() {
        List<Endpoint> all = endpoints.all();
        for (int i = 0; i < all.size(); i++) {
            release(all.get(i), blocked);
        }
        gracePeriod();
        pool.discard();
        unattached.table().discard();
        blocked.table().discard();
        unplugged.table().discard();
        closed = true;
        awaitReaders();
        space.reclaim();
        space.close();
    }

    // Attachments

    /**
     * Begins a domain, to which an endpoint must be {@linkplain #attach attached} next. Waits for readers if the only
     * objects left are those of domains that ended since the last grace period.
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

    /**
     * Attaches an endpoint to a domain, if all listeners agree; the one it leaves may end. If a listener refuses,
     * nothing has changed, and a domain that has no endpoint is gone.
     *
     * @param endpoint not attached to {@code domain}
     * @param domain   one that exists and accepts the endpoint's regions
     * @return DONE, or the refusal
     */
    public MappingListener.Answer attach(Endpoint endpoint, Domain domain) {
        movers.clear();
        movers.add(endpoint);
        MappingListener.Answer answer = mappingListeners.move(movers, domain);
        if (answer == MappingListener.Answer.DONE) {
            Domain old = endpoint.domain();
            domain.add(endpoint);
            endpoint.domain(domain);
            tookAttachment();
            leave(endpoint, old);
        } else if (domain.isEmpty()) {
            domains.remove(domain.id());
            pool.putBack(domain);
        }
        blockExpelled();
        return answer;
    }

    /**
     * Whether a listener was expelled that stands for an endpoint, which cannot be attached until it has left.
     *
     * @param endpoint any endpoint
     * @return false if it can be attached
     */
    public boolean isBarred(Endpoint endpoint) {
        return mappingListeners.bars(endpoint);
    }

    /** The endpoints of listeners that were expelled reach nothing any more. */
    private void blockExpelled() {
        while (mappingListeners.takeExpulsion()) {
            List<Endpoint> all = endpoints.all();
            for (int i = 0; i < all.size(); i++) {
                if (mappingListeners.bars(all.get(i))) {
                    release(all.get(i), blocked);
                }
            }
        }
    }

    /**
     * Detaches an endpoint; afterwards the bypass byte decides.
     *
     * @param endpoint one that is attached
     */
    public void detach(Endpoint endpoint) {
        release(endpoint, unattached);
        blockExpelled();
    }

    /**
     * Ends every attachment, for a reset. An endpoint whose device is at work may have DMA on its way with addresses
     * that were translated. The bypass would let them through as physical addresses, so the endpoint can be blocked
     * until its device is reset.
     *
     * @param blockLive whether such endpoints are blocked; if not, the bypass byte decides at once
     */
    public void detachAll(boolean blockLive) {
        List<Endpoint> all = endpoints.all();
        for (int i = 0; i < all.size(); i++) {
            Endpoint endpoint = all.get(i);
            endpoint.clearDoorbell();
            boolean block = blockLive && endpoint.isLive() && endpoint.domain().kind() != Domain.Kind.UNATTACHED;
            release(endpoint, block || isBarred(endpoint) ? blocked : unattached);
        }
        blockExpelled();
    }

    /** A device has closed a way to memory; with the last one, no earlier access is on its way any more. */
    void closed(Endpoint endpoint) {
        endpoint.closed();
        if (!endpoint.isLive()) {
            unblock(endpoint);
        }
    }

    /**
     * Ends the blocking of an endpoint whose device has nothing on its way any more. Does nothing if it is not blocked,
     * and once closed.
     *
     * @param endpoint the endpoint of that device
     */
    public void unblock(Endpoint endpoint) {
        if (!closed && endpoint.domain().kind() == Domain.Kind.BLOCKED && !isBarred(endpoint)) {
            endpoint.domain(unattached);
        }
    }

    private void release(Endpoint endpoint, Domain to) {
        Domain old = endpoint.domain();
        endpoint.domain(to);
        tookAttachment();
        leave(endpoint, old);
    }

    private void tookAttachment() {
        invalidation.moved();
        takenAway = true;
    }

    private void leave(Endpoint endpoint, Domain old) {
        if (!old.isAttachment()) {
            return;
        }
        old.remove(endpoint);
        mappingListeners.left(endpoint, old);
        if (old.isEmpty()) {
            domains.remove(old.id());
            // The mappings stay until no section can be inside: a reader that saw the old attachment still finds what
            // that meant.
            mappings -= old.table().size();
            pool.end(old);
        }
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

    /**
     * Tells the listeners of a domain that the mappings inside a range are gone. Those that do not take them back are
     * expelled, and their endpoints blocked.
     *
     * @param domain    whose mappings {@link #remove} has removed
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return false if a listener was expelled
     */
    public boolean removeFromMirrors(Domain domain, long virtStart, long virtEnd) {
        boolean done = domain.table().removed() == 0 || mappingListeners.unmap(domain, virtStart, virtEnd);
        blockExpelled();
        return done;
    }

    /**
     * Tells the listeners of a domain that a mapping was not made which they had agreed to.
     *
     * @param domain    the domain
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     */
    public void undoMap(Domain domain, long virtStart, long virtEnd) {
        mappingListeners.undoMap(domain, virtStart, virtEnd);
        blockExpelled();
    }

    // Listeners

    /**
     * Takes a listener in, and announces to it what its endpoints are attached to.
     *
     * @param listener one that has not joined
     * @param ids      the endpoints it stands for; none for all
     * @return DONE, or a refusal, after which it has not joined
     */
    public MappingListener.Answer join(MappingListener listener, int... ids) {
        IntHashSet some = new IntHashSet();
        for (int id : ids) {
            some.add(id);
        }
        MappingListener.Answer answer = mappingListeners.join(listener, ids.length == 0 ? null : some, endpoints.all());
        blockExpelled();
        return answer;
    }

    /**
     * Takes back what a listener was told, and forgets it.
     *
     * @param listener one that has joined
     * @throws IllegalArgumentException if it has not
     */
    public void leave(MappingListener listener) {
        mappingListeners.leave(listener, endpoints.all());
        blockExpelled();
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

    private void gracePeriod() {
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
