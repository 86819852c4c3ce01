// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.concurrent.locks.Lock;
import org.virtio4j.iommu.domain.Attachments;
import org.virtio4j.iommu.domain.Domains;
import org.virtio4j.iommu.domain.EndpointGroup;

/**
 * The host's exclusive use of an endpoint and the others of its group, see {@link VirtioIommu#claim}. Any thread.
 */
public final class EndpointClaim implements AutoCloseable {

    private final Lock control;
    private final Domains domains;
    private final Attachments attachments;
    private final EndpointGroup group;

    EndpointClaim(Lock control, Domains domains, Attachments attachments, EndpointGroup group) {
        this.control = control;
        this.domains = domains;
        this.attachments = attachments;
        this.group = group;
    }

    /**
     * Whether the claim is in force.
     *
     * @return false once it was closed, or the last endpoint of the group was unplugged
     */
    public boolean isHeld() {
        control.lock();
        try {
            return group.isHeldBy(this);
        } finally {
            control.unlock();
        }
    }

    /**
     * Gives the endpoints back to the guest, attached to nothing: the bypass byte decides what they reach. One whose
     * device may be at work is blocked until it is reset or attached, as after a reset of the IOMMU. Closing twice, or
     * after the endpoints were unplugged, does nothing.
     */
    @Override
    public void close() {
        control.lock();
        try {
            attachments.giveBack(group, this);
            domains.gracePeriodIfNeeded();
        } finally {
            control.unlock();
        }
    }
}
