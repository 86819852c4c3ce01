// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.List;
import org.virtio4j.iommu.table.MappingVisitor;

/** All listeners of an IOMMU as one: a change is made by all of them or by none. */
final class Mirror {

    private static final long LAST = -1;

    private final MappingListener[] listeners;

    Mirror(List<MappingListener> listeners) {
        this.listeners = listeners.toArray(MappingListener[]::new);
    }

    boolean isEmpty() {
        return listeners.length == 0;
    }

    MappingListener.Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        for (int i = 0; i < listeners.length; i++) {
            MappingListener.Answer answer = listeners[i].map(domain, virtStart, virtEnd, physStart, flags);
            if (answer != MappingListener.Answer.DONE) {
                undoMap(i, domain, virtStart, virtEnd);
                return answer;
            }
        }
        return MappingListener.Answer.DONE;
    }

    void undoMap(int domain, long virtStart, long virtEnd) {
        undoMap(listeners.length, domain, virtStart, virtEnd);
    }

    /** Asks everybody to forget all mappings inside a range; if one refuses, what was forgotten is announced again. */
    MappingListener.Answer unmap(Domain domain, long virtStart, long virtEnd) {
        Unmapping unmapping = new Unmapping(domain.id());
        domain.table().forEach(virtStart, virtEnd, unmapping);
        if (unmapping.answer != MappingListener.Answer.DONE) {
            domain.table().forEach(virtStart, virtEnd, unmapping.undo());
        }
        return unmapping.answer;
    }

    /** A domain ends; nobody is asked. */
    void forget(Domain domain) {
        if (!isEmpty()) {
            domain.table().forEach(0, LAST, (virtStart, virtEnd, physStart, flags) -> {
                undoMap(domain.id(), virtStart, virtEnd);
                return true;
            });
        }
    }

    void attached(int endpoint, int domain) {
        for (int i = 0; i < listeners.length; i++) {
            listeners[i].attached(endpoint, domain);
        }
    }

    void detached(int endpoint, int domain) {
        for (int i = 0; i < listeners.length; i++) {
            listeners[i].detached(endpoint, domain);
        }
    }

    private void undoMap(int count, int domain, long virtStart, long virtEnd) {
        for (int i = 0; i < count; i++) {
            MappingListener.Answer ignored = listeners[i].unmap(domain, virtStart, virtEnd);
        }
    }

    /** Takes mappings back from one listener after the other, and remembers how far it came. */
    private final class Unmapping implements MappingVisitor {

        private final int domain;
        private MappingListener.Answer answer = MappingListener.Answer.DONE;

        /** Where it stopped: the mapping that was refused, and the listener who did. */
        private long refusedStart;
        private int refusedBy;

        Unmapping(int domain) {
            this.domain = domain;
        }

        @Override
        public boolean mapping(long virtStart, long virtEnd, long physStart, int flags) {
            for (int i = 0; i < listeners.length; i++) {
                answer = listeners[i].unmap(domain, virtStart, virtEnd);
                if (answer != MappingListener.Answer.DONE) {
                    refusedStart = virtStart;
                    refusedBy = i;
                    return false;
                }
            }
            return true;
        }

        /**
         * Announces what was taken back again; a mirror that cannot even do that is broken, and nothing here can mend
         * it.
         */
        MappingVisitor undo() {
            return (virtStart, virtEnd, physStart, flags) -> {
                boolean last = virtStart == refusedStart;
                int count = last ? refusedBy : listeners.length;
                for (int i = 0; i < count; i++) {
                    MappingListener.Answer ignored = listeners[i].map(domain, virtStart, virtEnd, physStart, flags);
                }
                return !last;
            };
        }
    }
}
