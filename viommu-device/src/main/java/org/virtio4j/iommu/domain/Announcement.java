// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.iommu.table.MappingVisitor;

/**
 * One batch of mappings on its way to one listener: begin, map and commit, until one of them is refused. For a listener
 * that can split them again, mappings that continue each other become one. Used again for each batch, under the control
 * lock.
 */
final class Announcement implements MappingVisitor {

    private final Mirror mirror;
    private final boolean joins;
    private @Nullable Domain domain;
    private Answer answer = Answer.DONE;

    /** What the listener is told next: a mapping, or several joined; none at the beginning. */
    private boolean pending;
    private long pendingStart;
    private long pendingEnd;
    private long pendingPhys;
    private int pendingFlags;

    /** How many mappings were put in, and how many of them the listener has agreed to. */
    private int added;
    private int agreed;

    Announcement(Mirror mirror, boolean joins) {
        this.mirror = mirror;
        this.joins = joins;
    }

    void begin(Domain of) {
        domain = of;
        pending = false;
        added = 0;
        agreed = 0;
        answer = mirror.begin(of);
    }

    /** Puts a mapping in; false if nothing more is to be put in, because the listener has refused. */
    @Override
    public boolean mapping(long virtStart, long virtEnd, long physStart, int flags) {
        if (pending && joins && continues(virtStart, physStart, flags)) {
            pendingEnd = virtEnd;
        } else {
            tell();
            pendingStart = virtStart;
            pendingEnd = virtEnd;
            pendingPhys = physStart;
            pendingFlags = flags;
            pending = true;
        }
        added++;
        return answer == Answer.DONE;
    }

    /** Tells the rest, and that this is all. */
    Answer end() {
        tell();
        if (answer == Answer.DONE) {
            answer = mirror.commit(domain());
        }
        return answer;
    }

    /** How many mappings of the batch, from the first one on, the listener was told and has agreed to. */
    int agreed() {
        return agreed;
    }

    private Domain domain() {
        return Objects.requireNonNull(domain);
    }

    private boolean continues(long virtStart, long physStart, int flags) {
        return virtStart == pendingEnd + 1 && virtStart != 0
                && physStart == pendingPhys + (virtStart - pendingStart) && physStart != 0 && flags == pendingFlags;
    }

    private void tell() {
        if (pending && answer == Answer.DONE) {
            answer = mirror.map(domain(), pendingStart, pendingEnd, pendingPhys, pendingFlags);
            agreed = answer == Answer.DONE ? added : agreed;
        }
        pending = false;
    }
}
