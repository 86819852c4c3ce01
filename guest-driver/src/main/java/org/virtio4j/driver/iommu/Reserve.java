// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

/** Guest memory that is kept from one start of a device to the next, because a {@link GuestRam} takes nothing back. */
final class Reserve {

    private final GuestRam ram;
    private @Nullable GuestBuffer kept;

    Reserve(GuestRam ram) {
        this.ram = ram;
    }

    /** What was kept, if it is large enough, else new memory; it begins a page. */
    GuestBuffer atLeast(long size) {
        GuestBuffer old = kept;
        if (old != null && old.length() >= size) {
            return old;
        }
        GuestBuffer fresh = ram.buffer(Math.max(size, 1), GuestMemory.PAGE_SIZE);
        kept = fresh;
        return fresh;
    }

    /** The three parts of a queue. */
    static final class OfQueue {

        private final Reserve descriptors;
        private final Reserve available;
        private final Reserve used;

        OfQueue(GuestRam ram) {
            descriptors = new Reserve(ram);
            available = new Reserve(ram);
            used = new Reserve(ram);
        }

        QueueMemory atLeast(int size) {
            return new QueueMemory(size, descriptors.atLeast(size * SplitDescriptor.SIZE),
                    available.atLeast(AvailableRing.size(size)), used.atLeast(UsedRing.size(size)));
        }
    }
}
