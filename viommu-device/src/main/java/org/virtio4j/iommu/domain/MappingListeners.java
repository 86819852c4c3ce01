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
 * All mapping listeners of an IOMMU as one: what is asked of them is done by all or by none, and who does not take
 * something back is expelled. Under the control lock.
 */
public final class MappingListeners {

    private final ArrayList<Mirror> mirrors = new ArrayList<>();
    private final FirstFailure deferred = new FirstFailure();

    /** For a mapping that is announced alone. */
    private final MapBatch single = new MapBatch(1);

    /**
     * What listeners have thrown and the call that serves is still to throw.
     *
     * @return the same object for good
     */
    public FirstFailure deferred() {
        return deferred;
    }

    /**
     * Whether no listener has joined.
     *
     * @return true if nobody is to be asked
     */
    public boolean isEmpty() {
        return mirrors.isEmpty();
    }

    // Joining and leaving

    /**
     * Takes a listener in and announces to it what its endpoints are attached to. If it refuses, all of that is taken
     * back, and it has not joined; if it refuses that as well, it has joined and is expelled.
     *
     * @param listener  not joined
     * @param ids       the endpoints it is there for; null for all
     * @param attached  all endpoints there are
     * @return DONE, or the refusal
     */
    Answer join(MappingListener listener, @Nullable IntHashSet ids, List<Endpoint> attached) {
        requireNew(listener);
        Mirror mirror = new Mirror(listener, ids, deferred);
        for (int i = 0; i < attached.size(); i++) {
            Endpoint endpoint = attached.get(i);
            Answer answer = mirror.hears(endpoint) && endpoint.domain().isAttachment()
                    ? join(mirror, endpoint)
                    : Answer.DONE;
            if (answer != Answer.DONE) {
                if (!exitAll(mirror, attached.subList(0, i))) {
                    mirrors.add(mirror);
                }
                return answer;
            }
        }
        mirrors.add(mirror);
        return Answer.DONE;
    }

    private void requireNew(MappingListener listener) {
        for (Mirror mirror : mirrors) {
            if (mirror.isOf(listener)) {
                throw new IllegalArgumentException("listener=" + listener + " has joined this IOMMU before; let it"
                        + " leave first, or make another one for other endpoints");
            }
        }
    }

    private static Answer join(Mirror mirror, Endpoint endpoint) {
        return mirror.isHeldElsewhere(List.of(endpoint), endpoint.domain())
                ? Answer.UNSUPPORTED
                : mirror.enter(endpoint, endpoint.domain());
    }

    /**
     * Takes everything back that a listener was told, and forgets it.
     *
     * @param listener one that has joined
     * @param attached all endpoints there are
     */
    void leave(MappingListener listener, List<Endpoint> attached) {
        for (int i = 0; i < mirrors.size(); i++) {
            Mirror mirror = mirrors.get(i);
            if (mirror.isOf(listener)) {
                if (mirror.isExpelled() || exitAll(mirror, attached)) {
                    mirrors.remove(i);
                }
                return;
            }
        }
        throw new IllegalArgumentException("listener=" + listener + " has not joined this IOMMU");
    }

    private boolean exitAll(Mirror mirror, List<Endpoint> attached) {
        for (int i = attached.size() - 1; i >= 0; i--) {
            Endpoint endpoint = attached.get(i);
            if (mirror.hears(endpoint) && endpoint.domain().mirrors().contains(mirror)) {
                exit(mirror, endpoint, endpoint.domain(), !mirror.hearsAny(attached, i, endpoint.domain()));
            }
        }
        return !mirror.isExpelled();
    }

    /**
     * Whether an expelled listener is there for an endpoint, which must be attached to nothing then.
     *
     * @param endpoint any endpoint
     * @return true until that listener leaves
     */
    boolean bars(Endpoint endpoint) {
        for (int i = 0; i < mirrors.size(); i++) {
            if (mirrors.get(i).isExpelled() && mirrors.get(i).hears(endpoint)) {
                return true;
            }
        }
        return false;
    }

    /** Whether listeners were expelled since the last call. */
    boolean takeExpulsion() {
        boolean taken = false;
        for (int i = 0; i < mirrors.size(); i++) {
            taken |= mirrors.get(i).takeExpulsion();
        }
        return taken;
    }

    // Attachments

    /**
     * Asks all listeners whether endpoints may move to a domain, and announces its mappings where they are new. If one
     * refuses, all is taken back.
     *
     * @param movers where they are now; none is attached to {@code to}
     * @param to     the domain they are to be attached to
     * @return DONE, or the first refusal
     */
    Answer move(List<Endpoint> movers, Domain to) {
        for (int i = 0; i < mirrors.size(); i++) {
            Answer answer = move(mirrors.get(i), movers, to);
            if (answer != Answer.DONE) {
                for (int j = i - 1; j >= 0; j--) {
                    moveBack(mirrors.get(j), movers, to, movers.size());
                }
                return answer;
            }
        }
        return Answer.DONE;
    }

    private Answer move(Mirror mirror, List<Endpoint> movers, Domain to) {
        if (mirror.isExpelled() || !mirror.hearsAny(movers)) {
            return Answer.DONE;
        }
        if (mirror.isHeldElsewhere(movers, to)) {
            return Answer.UNSUPPORTED;
        }
        if (mirror.holdsOneDomain()) {
            exitFormer(mirror, movers);
        }
        return mirror.isExpelled() ? Answer.FAILED : enter(mirror, movers, to);
    }

    private Answer enter(Mirror mirror, List<Endpoint> movers, Domain to) {
        for (int i = 0; i < movers.size(); i++) {
            Answer answer = mirror.hears(movers.get(i)) ? mirror.enter(movers.get(i), to) : Answer.DONE;
            if (answer != Answer.DONE) {
                moveBack(mirror, movers, to, i);
                return answer;
            }
        }
        return Answer.DONE;
    }

    /** Takes the first movers back to where they are, as far as the listener is concerned. */
    private void moveBack(Mirror mirror, List<Endpoint> movers, Domain to, int entered) {
        for (int i = entered - 1; i >= 0; i--) {
            if (mirror.hears(movers.get(i)) && !mirror.isExpelled()) {
                exit(mirror, movers.get(i), to, !mirror.hearsAny(movers, i) && !mirror.hearsAny(to.endpoints()));
            }
        }
        if (mirror.holdsOneDomain()) {
            enterFormer(mirror, movers);
        }
    }

    private void exitFormer(Mirror mirror, List<Endpoint> movers) {
        for (int i = movers.size() - 1; i >= 0; i--) {
            Domain old = movers.get(i).domain();
            if (mirror.hears(movers.get(i)) && old.mirrors().contains(mirror)) {
                exit(mirror, movers.get(i), old, !mirror.hearsAny(movers, i, old));
            }
        }
    }

    private void enterFormer(Mirror mirror, List<Endpoint> movers) {
        for (int i = 0; i < movers.size() && !mirror.isExpelled(); i++) {
            Domain old = movers.get(i).domain();
            if (mirror.hears(movers.get(i)) && old.isAttachment() && mirror.enter(movers.get(i), old) != Answer.DONE) {
                mirror.expel();
            }
        }
    }

    private void exit(Mirror mirror, Endpoint endpoint, Domain domain, boolean last) {
        if (!mirror.exit(endpoint, domain, last)) {
            mirror.expel();
        }
    }

    /**
     * An endpoint is attached to a domain no more; the domain does not have it any more, but still its mappings.
     *
     * @param endpoint who left
     * @param old      what it was attached to
     */
    void left(Endpoint endpoint, Domain old) {
        for (int i = old.mirrors().size() - 1; i >= 0; i--) {
            Mirror mirror = old.mirrors().get(i);
            if (mirror.hears(endpoint)) {
                exit(mirror, endpoint, old, !mirror.hearsAny(old.endpoints()));
            }
        }
    }

    // Mappings

    /**
     * Asks all listeners of a domain to mirror a mapping. If one refuses, all is taken back.
     *
     * @param domain    the domain
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flags     READ, WRITE and MMIO bits of MAP
     * @return DONE, or the first refusal
     */
    public Answer map(Domain domain, long virtStart, long virtEnd, long physStart, int flags) {
        single.clear();
        single.add(virtStart, virtEnd, physStart, flags);
        return map(domain, single);
    }

    /**
     * Asks all listeners of a domain to mirror several mappings. If one refuses, all is taken back.
     *
     * @param domain the domain
     * @param batch  disjoint mappings, none of which the domain has
     * @return DONE, or the first refusal
     */
    public Answer map(Domain domain, MapBatch batch) {
        List<Mirror> asked = domain.mirrors();
        for (int i = 0; i < asked.size(); i++) {
            Answer answer = asked.get(i).announce(domain, batch);
            if (answer != Answer.DONE) {
                for (int j = i - 1; j >= 0; j--) {
                    asked.get(j).takeBack(domain, batch, batch.size());
                }
                return answer;
            }
        }
        return Answer.DONE;
    }

    /**
     * Tells all listeners of a domain that mappings inside a range are gone, or were not made which {@link #map}
     * announced. Who refuses is expelled.
     *
     * @param domain    the domain, whose table does not have them
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return false if a listener was expelled
     */
    boolean unmap(Domain domain, long virtStart, long virtEnd) {
        boolean done = true;
        for (int i = domain.mirrors().size() - 1; i >= 0; i--) {
            Mirror mirror = domain.mirrors().get(i);
            if (!mirror.unmap(domain, virtStart, virtEnd)) {
                mirror.expel();
                done = false;
            }
        }
        return done;
    }
}
