// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.virtio4j.device.Features;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.wire.FeatureBit;

/**
 * What a driver has written of one queue. Guarded by the life cycle's lock, except {@link #enabled}, which kicks read.
 */
final class QueueRegisters {

    private final int sizeMax;
    private long descriptorArea;
    private long driverArea;
    private long deviceArea;
    private int size;

    /** Whether the size written last was not taken, and which that was, where the driver cannot read it back. */
    private boolean sizeUntaken;
    private long sizeRefused;
    private volatile boolean enabled;

    QueueRegisters(int sizeMax) {
        this.sizeMax = sizeMax;
        this.size = sizeMax;
    }

    int sizeMax() {
        return sizeMax;
    }

    int size() {
        return size;
    }

    boolean enabled() {
        return enabled;
    }

    void enabled(boolean on) {
        enabled = on;
    }

    long address(QueueArea area) {
        return switch (area) {
            case DESCRIPTOR -> descriptorArea;
            case DRIVER -> driverArea;
            case DEVICE -> deviceArea;
        };
    }

    /**
     * An enabled queue keeps its settings; a size that no ring can have is not taken, and reading it back shows the old
     * one. A driver that cannot read it back must not be served a ring of another size than it laid out.
     */
    void writeSize(long value, boolean shown) {
        if (enabled) {
            return;
        }
        boolean taken = value > 0 && value <= sizeMax && Long.bitCount(value) == 1;
        if (taken) {
            size = (int) value;
        }
        sizeRefused = value;
        sizeUntaken = !taken && !shown;
    }

    /** Why the queue cannot be enabled as it is set up; empty if it can. */
    String refusal() {
        if (sizeUntaken) {
            return "enabled with size " + sizeRefused + ", which is no power of two up to " + sizeMax;
        }
        return valid() ? "" : "enabled with misaligned or impossible addresses";
    }

    void writeAddress(QueueArea area, long address) {
        if (enabled) {
            return;
        }
        switch (area) {
            case DESCRIPTOR -> descriptorArea = address;
            case DRIVER -> driverArea = address;
            case DEVICE -> deviceArea = address;
        }
    }

    /**
     * Whether all three areas are aligned and end inside the address space; what lies there is found out when it is
     * used.
     */
    private boolean valid() {
        for (QueueArea area : QueueArea.values()) {
            long address = address(area);
            long last = address + area.size(size) - 1;
            if (address % area.alignment() != 0 || Long.compareUnsigned(last, address) < 0) {
                return false;
            }
        }
        return true;
    }

    QueueSettings settings(Features negotiated, boolean translated, boolean polled) {
        return new QueueSettings(size, descriptorArea, driverArea, deviceArea,
                negotiated.has(FeatureBit.INDIRECT_DESC), negotiated.has(FeatureBit.EVENT_IDX), translated,
                polled);
    }

    void reset() {
        descriptorArea = 0;
        driverArea = 0;
        deviceArea = 0;
        size = sizeMax;
        sizeUntaken = false;
        enabled = false;
    }
}
