// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.IntHashSet;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.grace.GracePeriods;

/**
 * Which endpoint is attached to what, and who decides over those that are attached to nothing. Under the control lock.
 *
 * <p>An attachment is one word of the endpoint, so a reader sees the old domain or the new one. All members of an
 * {@link EndpointGroup} are attached together, and detached one by one. After each change, {@link
 * Domains#gracePeriodIfNeeded} must follow before it counts as done.
 */
public final class Attachments {

    /** Members of a group for which there is room in advance. */
    private static final int FEW = 8;

    private final Endpoints endpoints;
    private final Domains domains;
    private final MappingListeners mappingListeners;
    private final boolean blockLive;

    // The states of being attached to nothing.
    private final Domain unattached;
    private final Domain blocked;
    private final Domain claimed;
    private final Domain unplugged;

    /** Those of the ATTACH that is being carried out, and what each of them leaves. */
    private final ArrayList<Endpoint> movers = new ArrayList<>(FEW);
    private final ArrayList<Domain> former = new ArrayList<>(FEW);
    private boolean closed;

    /**
     * Starts without an endpoint.
     *
     * @param endpoints        none yet
     * @param domains          none yet
     * @param mappingListeners asked before an endpoint is attached, and told of what it leaves
     * @param space            memory of the tables
     * @param blockLive        whether an endpoint whose device may be at work is blocked when its attachment ends
     *                         without its driver's doing; if not, the bypass byte decides at once
     */
    public Attachments(Endpoints endpoints, Domains domains, MappingListeners mappingListeners, NodeSpace space,
            boolean blockLive) {
        this.endpoints = endpoints;
        this.domains = domains;
        this.mappingListeners = mappingListeners;
        this.blockLive = blockLive;
        this.unattached = new Domain(Domain.Kind.UNATTACHED, space);
        this.blocked = new Domain(Domain.Kind.BLOCKED, space);
        this.claimed = new Domain(Domain.Kind.CLAIMED, space);
        this.unplugged = new Domain(Domain.Kind.UNPLUGGED, space);
    }

    /** Those that join and part with a device. Any thread. */
    GracePeriods readers() {
        return domains.readers();
    }

    InvalidationCount generation() {
        return domains.generation();
    }

    /**
     * Ends every attachment for good and gives the memory of the tables back; afterwards every endpoint is blocked.
     */
    public void close() {
        List<Endpoint> all = endpoints.all();
        for (int i = 0; i < all.size(); i++) {
            release(all.get(i), blocked);
        }
        closed = true;
        domains.close(List.of(unattached, blocked, claimed, unplugged));
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
        endpoints.requireFree(endpoint.id(), 1);
        domains.provide(endpoints.all().size() + 1);
        // Others find it from now on, before it is known what it may reach.
        endpoint.domain(blocked);
        endpoints.add(endpoint);
        endpoint.domain(resting(endpoint, false));
    }

    /**
     * Plugs several endpoints that are a group until the last of them is unplugged.
     *
     * @param regions what none of them must have mapped
     * @param ids     at least one
     * @throws IllegalArgumentException as {@link #plug}, or if one is in a group; nothing has changed then
     */
    public void plugGroup(ReservedRegions regions, int... ids) {
        for (int id : ids) {
            endpoints.requireFree(id, ids.length);
        }
        endpoints.group(false, ids);
        for (int id : ids) {
            plug(new Endpoint(id, regions));
        }
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
        domains.gracePeriod();
        endpoints.remove(endpoint);
    }

    /** What an endpoint is to be that is attached to nothing. */
    private Domain resting(Endpoint endpoint, boolean block) {
        if (endpoint.group().isClaimed()) {
            return claimed;
        }
        return block || isBarred(endpoint) ? blocked : unattached;
    }

    /** A device has closed a way to memory; with the last one, no earlier access is on its way any more. */
    void closed(Endpoint endpoint) {
        endpoint.closed();
        unblockIfIdle(endpoint);
    }

    private void unblockIfIdle(Endpoint endpoint) {
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

    // Attachments

    /**
     * Whether the host keeps an endpoint, or another one of its group, from being attached: it has claimed it, or a
     * listener was expelled that stands for it and has not left.
     *
     * @param endpoint any endpoint
     * @return false if it can be attached
     */
    public boolean isKept(Endpoint endpoint) {
        return endpoint.group().isClaimed() || isBarred(endpoint);
    }

    private boolean isBarred(Endpoint endpoint) {
        List<Endpoint> members = endpoint.group().members();
        for (int i = 0; i < members.size(); i++) {
            if (mappingListeners.bars(members.get(i))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether a new domain for an endpoint is within the limit, those left out that end by it.
     *
     * @param endpoint the endpoint that is to be attached to it, with its group
     * @return false if ATTACH must be refused
     */
    public boolean hasRoomForDomain(Endpoint endpoint) {
        if (domains.hasRoomForDomain(0)) {
            return true;
        }
        former.clear();
        List<Endpoint> members = endpoint.group().members();
        for (int i = 0; i < members.size(); i++) {
            Domain old = members.get(i).domain();
            if (old.isAttachment() && !former.contains(old) && endpoint.group().holdsAll(old)) {
                former.add(old);
            }
        }
        return domains.hasRoomForDomain(former.size());
    }

    /**
     * Attaches an endpoint and the others of its group to a domain, if all listeners agree; the domains they leave may
     * end. If a listener refuses, nothing has changed, and a domain that has no endpoint is gone.
     *
     * @param endpoint one that {@linkplain EndpointGroup#fits fits} and is not {@linkplain #isKept kept}
     * @param domain   one that exists, or has just begun
     * @return DONE, or the refusal
     */
    public Answer attach(Endpoint endpoint, Domain domain) {
        findMovers(endpoint.group().members(), domain);
        Answer answer = mappingListeners.move(movers, domain);
        if (answer == Answer.DONE) {
            move(domain);
        } else if (domain.isEmpty()) {
            domains.cancel(domain);
        }
        blockExpelled();
        // A listener that did not take back what it had of the former domain is expelled by now.
        return answer == Answer.DONE && endpoint.domain() != domain ? Answer.FAILED : answer;
    }

    private void findMovers(List<Endpoint> members, Domain domain) {
        movers.clear();
        for (int i = 0; i < members.size(); i++) {
            if (members.get(i).domain() != domain) {
                movers.add(members.get(i));
            }
        }
    }

    /** All are attached before any listener hears that one has left. */
    private void move(Domain domain) {
        former.clear();
        for (int i = 0; i < movers.size(); i++) {
            former.add(movers.get(i).domain());
            domain.add(movers.get(i));
            movers.get(i).domain(domain);
        }
        domains.moved();
        for (int i = 0; i < movers.size(); i++) {
            leave(movers.get(i), former.get(i));
        }
    }

    /**
     * Detaches an endpoint, and no other one of its group; afterwards the bypass byte decides.
     *
     * @param endpoint any endpoint
     * @param domain   what its driver says that it is attached to; null for a domain that does not exist
     * @return whether it is attached to nothing now: also if it was so before and is one of several in its group, whose
     *         ids a driver may detach once for each device
     */
    public boolean detach(Endpoint endpoint, @Nullable Domain domain) {
        if (domain == null || endpoint.domain() != domain) {
            return endpoint.group().isShared() && !endpoint.domain().isAttachment();
        }
        release(endpoint, unattached);
        blockExpelled();
        return true;
    }

    /**
     * Ends every attachment, for a reset. An endpoint whose device is at work may have DMA on its way with addresses
     * that were translated. The bypass would let them through as physical addresses, so the endpoint can be blocked
     * until its device is reset.
     */
    public void detachAll() {
        List<Endpoint> all = endpoints.all();
        for (int i = 0; i < all.size(); i++) {
            Endpoint endpoint = all.get(i);
            endpoint.clearDoorbell();
            boolean block = blockLive && endpoint.isLive() && endpoint.domain().kind() != Domain.Kind.UNATTACHED;
            release(endpoint, resting(endpoint, block));
        }
        blockExpelled();
    }

    private void release(Endpoint endpoint, Domain to) {
        Domain old = endpoint.domain();
        endpoint.domain(to);
        domains.moved();
        leave(endpoint, old);
    }

    private void leave(Endpoint endpoint, Domain old) {
        if (old.isAttachment()) {
            old.remove(endpoint);
            mappingListeners.left(endpoint, old);
            domains.endIfEmpty(old);
        }
    }

    // Claims

    /**
     * Takes an endpoint and its group for the host: they reach nothing through their translators.
     *
     * @param endpoint any endpoint
     * @param holder   who gives it back
     * @return false if the driver has attached one of the group, or somebody holds it
     */
    public boolean claim(Endpoint endpoint, Object holder) {
        EndpointGroup group = endpoint.group();
        if (group.isClaimed() || group.isAttached()) {
            return false;
        }
        group.holder(holder);
        rest(group);
        return true;
    }

    /**
     * Gives a group back. Does nothing if it is not held by this holder.
     *
     * @param group  the group
     * @param holder who has claimed it
     */
    public void giveBack(EndpointGroup group, Object holder) {
        if (!closed && group.isHeldBy(holder)) {
            group.holder(null);
            rest(group);
        }
    }

    private void rest(EndpointGroup group) {
        List<Endpoint> members = group.members();
        for (int i = 0; i < members.size(); i++) {
            release(members.get(i), resting(members.get(i), blockLive && members.get(i).isLive()));
        }
    }

    // Listeners

    /** The endpoints of listeners that were expelled reach nothing any more, nor do the others of their groups. */
    private void blockExpelled() {
        while (mappingListeners.takeExpulsion()) {
            List<Endpoint> all = endpoints.all();
            for (int i = 0; i < all.size(); i++) {
                Endpoint endpoint = all.get(i);
                if (isBarred(endpoint) && endpoint.isPlugged()) {
                    release(endpoint, resting(endpoint, true));
                }
            }
        }
    }

    /**
     * Asks the listeners of a domain to mirror mappings that are to be made. If one refuses, nothing has changed.
     *
     * @param domain the domain
     * @param batch  disjoint mappings, none of which the domain has
     * @return DONE, or the first refusal
     */
    public Answer announce(Domain domain, MapBatch batch) {
        Answer answer = mappingListeners.map(domain, batch);
        blockExpelled();
        return answer;
    }

    /**
     * Asks the listeners of a domain to mirror a mapping that is to be made. If one refuses, nothing has changed.
     *
     * @param domain    the domain
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flags     READ, WRITE and MMIO bits of MAP
     * @return DONE, or the first refusal
     */
    public Answer announce(Domain domain, long virtStart, long virtEnd, long physStart, int flags) {
        Answer answer = mappingListeners.map(domain, virtStart, virtEnd, physStart, flags);
        blockExpelled();
        return answer;
    }

    /**
     * Tells the listeners of a domain that the mappings inside a range are gone. Those that do not take them back are
     * expelled, and their endpoints blocked.
     *
     * @param domain    whose mappings {@link Domains#remove} has removed
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
        mappingListeners.unmap(domain, virtStart, virtEnd);
        blockExpelled();
    }

    /**
     * Takes a listener in, and announces to it what its endpoints are attached to.
     *
     * @param listener one that has not joined
     * @param ids      the endpoints it stands for; none for all
     * @return DONE, or a refusal, after which it has not joined
     */
    public Answer join(MappingListener listener, int... ids) {
        IntHashSet some = new IntHashSet();
        for (int id : ids) {
            some.add(id);
        }
        Answer answer = mappingListeners.join(listener, ids.length == 0 ? null : some, endpoints.all());
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
        // Where no device is at work, none would end the blocking that came with an expulsion.
        endpoints.all().forEach(this::unblockIfIdle);
    }
}
