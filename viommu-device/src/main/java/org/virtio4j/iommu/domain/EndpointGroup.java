// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Endpoints that stand for one device, and so are attached together: the ids that a legacy bridge gives to what lies
 * behind it, or a device that does DMA under several ids. An endpoint of which nothing was said is alone in its group.
 * Under the control lock.
 */
public final class EndpointGroup {

    private final boolean shared;
    private final boolean stays;

    /** Those behind the IOMMU just now. */
    private final ArrayList<Endpoint> members = new ArrayList<>(1);

    /** Who has claimed it. */
    private @Nullable Object holder;

    /**
     * Starts without a member.
     *
     * @param shared whether it is for several ids
     * @param stays  whether it outlives its last member, for one that comes later
     */
    EndpointGroup(boolean shared, boolean stays) {
        this.shared = shared;
        this.stays = stays;
    }

    boolean isOver() {
        return !stays && members.isEmpty();
    }

    /** Whether it was made for several ids. */
    boolean isShared() {
        return shared;
    }

    List<Endpoint> members() {
        return members;
    }

    void add(Endpoint endpoint) {
        members.add(endpoint);
    }

    /** With the last member, a claim ends. */
    void remove(Endpoint endpoint) {
        members.remove(endpoint);
        if (members.isEmpty()) {
            holder = null;
        }
    }

    boolean isClaimed() {
        return holder != null;
    }

    /**
     * Whether somebody holds the group.
     *
     * @param claimant who has claimed it
     * @return false if nobody does, or somebody else
     */
    public boolean isHeldBy(Object claimant) {
        return claimant.equals(holder);
    }

    void holder(@Nullable Object claimant) {
        holder = claimant;
    }

    boolean isAttached() {
        for (int i = 0; i < members.size(); i++) {
            if (members.get(i).domain().isAttachment()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether all are in a domain.
     *
     * @param domain any domain
     * @return false if one is elsewhere
     */
    public boolean isIn(Domain domain) {
        for (int i = 0; i < members.size(); i++) {
            if (members.get(i).domain() != domain) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether nothing is mapped in a domain where one that is elsewhere must not have mappings.
     *
     * @param domain any domain
     * @return false if they cannot be attached to it
     */
    public boolean fits(Domain domain) {
        for (int i = 0; i < members.size(); i++) {
            if (members.get(i).domain() != domain && !domain.accepts(members.get(i).regions())) {
                return false;
            }
        }
        return true;
    }

    /** Whether no endpoint stays in a domain that is not of this group. */
    boolean holdsAll(Domain domain) {
        for (int i = 0; i < domain.endpoints().size(); i++) {
            if (domain.endpoints().get(i).group() != this) {
                return false;
            }
        }
        return true;
    }
}
