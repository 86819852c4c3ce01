// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.List;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.table.MappingVisitor;
import org.virtio4j.vmm.FirstFailure;

/**
 * All mapping listeners of an IOMMU as one: a change is made by all of them or by none. A listener that throws has
 * refused; what it threw is kept in {@link #deferred} and comes out of the call that served, once the change is undone.
 * Under the control lock.
 */
public final class MappingListeners {

    private static final long LAST = -1;

    private final MappingListener[] listeners;
    private final FirstFailure deferred = new FirstFailure();

    /**
     * Starts with nothing thrown.
     *
     * @param listeners in the order in which they are asked
     */
    public MappingListeners(List<MappingListener> listeners) {
        this.listeners = listeners.toArray(MappingListener[]::new);
    }

    /**
     * What listeners have thrown and the call that serves is still to throw.
     *
     * @return the same object for good
     */
    public FirstFailure deferred() {
        return deferred;
    }

    /**
     * Whether there is nobody to ask. Any thread.
     *
     * @return true if the list was empty
     */
    public boolean isEmpty() {
        return listeners.length == 0;
    }

    /**
     * Asks all listeners to mirror a mapping. If one refuses, those before it are asked to remove it.
     *
     * @param domain    the domain's number
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flags     READ, WRITE and MMIO bits of MAP
     * @return DONE, or the first refusal
     */
    public MappingListener.Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        for (int i = 0; i < listeners.length; i++) {
            MappingListener.Answer answer = map(i, domain, virtStart, virtEnd, physStart, flags);
            if (answer != MappingListener.Answer.DONE) {
                undoMap(i, domain, virtStart, virtEnd);
                return answer;
            }
        }
        return MappingListener.Answer.DONE;
    }

    /**
     * Asks all listeners to remove a mapping that {@link #map} announced and that was not made. Their answers are
     * ignored.
     *
     * @param domain    the domain's number
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     */
    public void undoMap(int domain, long virtStart, long virtEnd) {
        undoMap(listeners.length, domain, virtStart, virtEnd);
    }

    /**
     * Asks all listeners to remove the mappings inside a range. If one refuses, the mappings that were removed are
     * announced again. The table does not change.
     *
     * @param domain    whose table has the mappings
     * @param virtStart first I/O-virtual address, of any alignment
     * @param virtEnd   last I/O-virtual address, inclusive; no mapping may lie partly inside the range
     * @return DONE, or the refusal
     */
    public MappingListener.Answer unmap(Domain domain, long virtStart, long virtEnd) {
        Unmapping unmapping = new Unmapping(domain.id());
        domain.table().forEach(virtStart, virtEnd, unmapping);
        if (unmapping.answer != MappingListener.Answer.DONE) {
            domain.table().forEach(virtStart, virtEnd, unmapping.undo());
        }
        return unmapping.answer;
    }

    /** A domain ends: its mappings are announced as removed, and a refusal has no effect. */
    void domainEnded(Domain domain) {
        if (!isEmpty()) {
            domain.table().forEach(0, LAST, (virtStart, virtEnd, physStart, flags) -> {
                undoMap(domain.id(), virtStart, virtEnd);
                return true;
            });
        }
    }

    void attached(int endpoint, int domain) {
        for (int i = 0; i < listeners.length; i++) {
            try {
                listeners[i].attached(endpoint, domain);
            } catch (RuntimeException | Error failure) {
                deferred.add(failure);
            }
        }
    }

    void detached(int endpoint, int domain) {
        for (int i = 0; i < listeners.length; i++) {
            try {
                listeners[i].detached(endpoint, domain);
            } catch (RuntimeException | Error failure) {
                deferred.add(failure);
            }
        }
    }

    private void undoMap(int count, int domain, long virtStart, long virtEnd) {
        for (int i = 0; i < count; i++) {
            MappingListener.Answer ignored = unmap(i, domain, virtStart, virtEnd);
        }
    }

    private MappingListener.Answer map(int listener, int domain, long virtStart, long virtEnd, long physStart,
            int flags) {
        try {
            return listeners[listener].map(domain, virtStart, virtEnd, physStart, flags);
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return MappingListener.Answer.FAILED;
        }
    }

    private MappingListener.Answer unmap(int listener, int domain, long virtStart, long virtEnd) {
        try {
            return listeners[listener].unmap(domain, virtStart, virtEnd);
        } catch (RuntimeException | Error failure) {
            deferred.add(failure);
            return MappingListener.Answer.FAILED;
        }
    }

    /** Takes mappings back from one listener after the other, and remembers how far it came. */
    private final class Unmapping implements MappingVisitor {

        private final int domain;
        private MappingListener.Answer answer = MappingListener.Answer.DONE;

        /** Where it stopped: the mapping that was refused, and the listener that refused it. */
        private long refusedStart;
        private int refusedBy;

        Unmapping(int domain) {
            this.domain = domain;
        }

        @Override
        public boolean mapping(long virtStart, long virtEnd, long physStart, int flags) {
            for (int i = 0; i < listeners.length; i++) {
                answer = MappingListeners.this.unmap(i, domain, virtStart, virtEnd);
                if (answer != MappingListener.Answer.DONE) {
                    refusedStart = virtStart;
                    refusedBy = i;
                    return false;
                }
            }
            return true;
        }

        /**
         * Announces again what was removed. A listener that refuses this as well has lost a mapping, and nothing here
         * can repair that.
         */
        MappingVisitor undo() {
            return (virtStart, virtEnd, physStart, flags) -> {
                boolean last = virtStart == refusedStart;
                int count = last ? refusedBy : listeners.length;
                for (int i = 0; i < count; i++) {
                    MappingListener.Answer ignored =
                            MappingListeners.this.map(i, domain, virtStart, virtEnd, physStart, flags);
                }
                return !last;
            };
        }
    }
}
