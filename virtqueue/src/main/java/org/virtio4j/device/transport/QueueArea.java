// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

/** The three areas of a virtqueue by their transport-independent names (virtio 1.4, section 2.6). */
public enum QueueArea {
    /** The descriptor table. */
    DESCRIPTOR(SplitDescriptor.ALIGNMENT),
    /** What the driver writes: the available ring. */
    DRIVER(AvailableRing.ALIGNMENT),
    /** What the device writes: the used ring. */
    DEVICE(UsedRing.ALIGNMENT);

    private final long alignment;

    QueueArea(long alignment) {
        this.alignment = alignment;
    }

    /** Of which number of bytes the address of a split ring's area must be a multiple (section 2.7). */
    long alignment() {
        return alignment;
    }

    long size(int queueSize) {
        return switch (this) {
            case DESCRIPTOR -> queueSize * SplitDescriptor.SIZE;
            case DRIVER -> AvailableRing.size(queueSize);
            case DEVICE -> UsedRing.size(queueSize);
        };
    }
}
