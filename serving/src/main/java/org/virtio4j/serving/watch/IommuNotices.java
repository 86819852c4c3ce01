// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/** Tells the user, in words, what an IOMMU refuses and a guest does not show. */
public final class IommuNotices implements IommuListener {

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Notices notices;
    private final String name;
    private long lostFaults;

    /** The name is what the user knows the IOMMU by. */
    public IommuNotices(Notices notices, String name) {
        this.notices = notices;
        this.name = name;
    }

    @Override
    public void served(ServedRequest request) {
        if (request.understood() && request.status() == RequestStatus.NOMEM) {
            refused(request.type());
        }
    }

    private void refused(int type) {
        if (type == RequestType.ATTACH) {
            notices.tell(name + ": an ATTACH was answered with NOMEM",
                    "max-domains are in use, and the device cannot be used; raise max-domains");
        } else {
            notices.tell(name + ": a MAP was answered with NOMEM",
                    "max-mappings or max-mappings-per-domain are in use, and Linux may not recover from that;"
                            + " raise them");
        }
    }

    @Override
    public void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        PciAddress device = new PciAddress(endpoint >> 8, endpoint >> 3 & 0x1f, endpoint & 7);
        notices.tell(name + ": the guest has mapped where its interrupts go for " + device + ", and may get none",
                "0x" + Long.toHexString(physStart) + " is no RAM, and no region that " + DoorbellNames.KEY
                        + " names; write " + DoorbellNames.KEY + " = [\"" + DoorbellNames.nameOf(physStart) + "\"]");
    }

    /** A device holds up an UNMAP or a reset; the guest's processor spins meanwhile. */
    @Override
    public void stalled(String holder, long waitedNanos) {
        notices.tell(name + ": a request waits for a device",
                holder + " still uses what is taken away, after " + waitedNanos / NANOS_PER_MILLI + " ms");
    }

    /** Looks for faults that were lost since the last time; by one thread. */
    public void look(IommuCounters counters) {
        long lost = counters.lostFaults();
        if (lost > lostFaults) {
            notices.tell(name + ": a device accessed what is not mapped for it, and no driver hears of it",
                    "the IOMMU has no driver just now, or too many faults at once", lost - lostFaults);
            lostFaults = lost;
        }
    }
}
