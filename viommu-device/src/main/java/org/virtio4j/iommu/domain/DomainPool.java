// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import org.virtio4j.iommu.table.NodeSpace;

/**
 * Domain objects that can begin, and those that ended since the last grace period. An object is made when an endpoint
 * comes, and never for a request. Under the control lock.
 */
final class DomainPool {

    private final NodeSpace space;
    private final ArrayList<Domain> free = new ArrayList<>();
    private final ArrayList<Domain> ended = new ArrayList<>();

    /** Free, ended or in use. */
    private int made;

    DomainPool(NodeSpace space) {
        this.space = space;
    }

    /**
     * Makes objects for so many endpoints, if there are fewer. There is one more than can exist at a time, for an
     * endpoint that moves to a new domain; ended ones come back by a grace period.
     */
    void provide(int endpoints) {
        while (made <= endpoints) {
            free.add(new Domain(Domain.Kind.MAPPED, space));
            made++;
            // So that giving one back never needs memory.
            free.ensureCapacity(made);
            ended.ensureCapacity(made);
        }
    }

    /** Whether a grace period is needed before one can be taken. */
    boolean isEmpty() {
        return free.isEmpty();
    }

    Domain take() {
        return free.removeLast();
    }

    /** Takes one back that nobody was ever attached to. */
    void putBack(Domain unused) {
        free.add(unused);
    }

    /** Takes one back that readers may still be inside of. */
    void end(Domain left) {
        ended.add(left);
    }

    /** After a grace period: no reader is inside of those that ended. */
    void recycle() {
        while (!ended.isEmpty()) {
            Domain domain = ended.removeLast();
            domain.table().clear();
            free.add(domain);
        }
    }

    /** Gives the nodes of all tables back; none is in use. */
    void discard() {
        for (Domain domain : free) {
            domain.table().discard();
        }
    }
}
