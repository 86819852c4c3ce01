// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.IntHashSet;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.vmm.FirstFailure;

/**
 * A mapping listener that has joined: the endpoints it is there for, and the domains it knows. What the listener throws
 * is a refusal, and is kept. Under the control lock.
 */
final class Mirror {

    private static final long LAST = -1;

    private final MappingListener listener;

    /** Null for all endpoints there ever are. */
    private final @Nullable IntHashSet endpoints;
    private final FirstFailure deferred;

    /** Those whose mappings the listener was told, and which still have an endpoint of it. */
    private final ArrayList<Domain> domains = new ArrayList<>(2);
    private final Announcement announcement;
    private final boolean holdsOneDomain;
    private boolean expelled;

    /** Whether nobody knows of the expulsion yet. */
    private boolean expulsionDue;

    Mirror(MappingListener listener, @Nullable IntHashSet endpoints, FirstFailure deferred) {
        this.listener = listener;
        this.endpoints = endpoints;
        this.deferred = deferred;
        this.announcement = new Announcement(this, listener.canSplit());
        this.holdsOneDomain = listener.holdsOneDomain();
    }

    @SuppressWarnings("ReferenceEquality") // two that are equal stand for two things
    boolean isOf(MappingListener other) {
        return listener == other;
    }

    boolean isExpelled() {
        return expelled;
    }

    boolean hears(Endpoint endpoint) {
        return endpoints == null || endpoints.contains(endpoint.id());
    }

    boolean hearsAny(List<Endpoint> some) {
        return hearsAny(some, some.size());
    }

    /** Whether it is there for one of the first endpoints of a list. */
    boolean hearsAny(List<Endpoint> some, int count) {
        for (int i = 0; i < count; i++) {
            if (hears(some.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** The same for those that are attached to a domain. */
    boolean hearsAny(List<Endpoint> some, int count, Domain domain) {
        for (int i = 0; i < count; i++) {
            if (some.get(i).domain() == domain && hears(some.get(i))) {
                return true;
            }
        }
        return false;
    }

    // Domains

    /** Whether endpoints that stay where they are keep the listener from hearing of another domain. */
    boolean isHeldElsewhere(List<Endpoint> movers, Domain to) {
        if (!holdsOneDomain) {
            return false;
        }
        for (int i = 0; i < domains.size(); i++) {
            if (domains.get(i) != to && hasOthers(domains.get(i), movers)) {
                return true;
            }
        }
        return false;
    }

    private boolean hasOthers(Domain domain, List<Endpoint> movers) {
        List<Endpoint> attached = domain.endpoints();
        for (int i = 0; i < attached.size(); i++) {
            if (hears(attached.get(i)) && !movers.contains(attached.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Asks whether an endpoint may see a domain, and announces the mappings with the first one. */
    Answer enter(Endpoint endpoint, Domain domain) {
        Answer answer = attach(endpoint, domain);
        if (answer == Answer.DONE && !domains.contains(domain)) {
            answer = replay(domain);
            if (answer == Answer.DONE) {
                domains.add(domain);
                domain.mirrors().add(this);
            } else {
                detached(endpoint, domain);
            }
        }
        return answer;
    }

    /** The reverse: false if the listener did not take the mappings of the last endpoint's domain back. */
    boolean exit(Endpoint endpoint, Domain domain, boolean last) {
        boolean done = true;
        if (last) {
            domains.remove(domain);
            domain.mirrors().remove(this);
            done = domain.table().size() == 0 || unmap(domain, 0, LAST);
        }
        detached(endpoint, domain);
        return done;
    }

    private Answer replay(Domain domain) {
        if (domain.table().size() == 0) {
            return Answer.DONE;
        }
        announcement.begin(domain);
        domain.table().forEach(0, LAST, announcement);
        Answer answer = announcement.end();
        if (answer != Answer.DONE && announcement.agreed() > 0 && !unmap(domain, 0, LAST)) {
            expel();
        }
        return answer;
    }

    // Mappings

    /** Announces mappings of a domain that the listener knows; if it refuses, takes back what it had agreed to. */
    Answer announce(Domain domain, MapBatch batch) {
        announcement.begin(domain);
        boolean agrees = true;
        for (int i = 0; i < batch.size() && agrees; i++) {
            agrees = announcement.mapping(batch.virtStart(i), batch.virtEnd(i), batch.physStart(i), batch.flags(i));
        }
        Answer answer = announcement.end();
        if (answer != Answer.DONE) {
            takeBack(domain, batch, announcement.agreed());
        }
        return answer;
    }

    /** Takes the first mappings of a batch back; a listener that does not do it is expelled. */
    void takeBack(Domain domain, MapBatch batch, int count) {
        for (int i = count - 1; i >= 0; i--) {
            if (!expelled && !unmap(domain, batch.virtStart(i), batch.virtEnd(i))) {
                expel();
            }
        }
    }

    // The listener

    boolean holdsOneDomain() {
        return holdsOneDomain;
    }

    /** Whether it was expelled since the last time this was asked. */
    boolean takeExpulsion() {
        boolean due = expulsionDue;
        expulsionDue = false;
        return due;
    }

    /** Says that it is not called again. */
    void expel() {
        if (expelled) {
            return;
        }
        expelled = true;
        expulsionDue = true;
        for (int i = 0; i < domains.size(); i++) {
            domains.get(i).mirrors().remove(this);
        }
        domains.clear();
        try {
            listener.expelled();
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
        }
    }

    private Answer attach(Endpoint endpoint, Domain domain) {
        try {
            return listener.attach(endpoint.id(), domain.id(), domain.kind() == Domain.Kind.BYPASS);
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return Answer.FAILED;
        }
    }

    private void detached(Endpoint endpoint, Domain domain) {
        if (expelled) {
            return;
        }
        try {
            listener.detached(endpoint.id(), domain.id());
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
        }
    }

    Answer begin(Domain domain) {
        try {
            listener.begin(domain.id());
            return Answer.DONE;
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return Answer.FAILED;
        }
    }

    Answer map(Domain domain, long virtStart, long virtEnd, long physStart, int flags) {
        try {
            return listener.map(domain.id(), virtStart, virtEnd, physStart, flags);
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return Answer.FAILED;
        }
    }

    Answer commit(Domain domain) {
        try {
            return listener.commit(domain.id());
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return Answer.FAILED;
        }
    }

    /** False if it was refused. */
    boolean unmap(Domain domain, long virtStart, long virtEnd) {
        try {
            return listener.unmap(domain.id(), virtStart, virtEnd) == Answer.DONE;
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return false;
        }
    }
}
