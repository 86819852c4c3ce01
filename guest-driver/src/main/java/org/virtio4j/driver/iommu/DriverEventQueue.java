// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.wire.iommu.FaultEvent;

/** The event queue of a started virtio-iommu: buffers that wait for a fault to be reported. */
final class DriverEventQueue {

    /** Bytes from one buffer to the next. */
    static final long STRIDE = 32;

    private final DriverTransport transport;
    private final DriverQueue queue;
    private final GuestBuffer buffers;
    private int added;

    /** Whether buffers were put back that no kick was decided for. */
    private boolean refilled;

    DriverEventQueue(DriverTransport transport, DriverQueue queue, GuestBuffer buffers) {
        this.transport = transport;
        this.queue = queue;
        this.buffers = buffers;
    }

    DriverQueue queue() {
        return queue;
    }

    /** Adds buffers that were never in the queue, without a kick; returns how many there was room for. */
    int fill(int count) {
        int most = Math.min(count, queue.size() - added);
        for (int i = 0; i < most; i++) {
            add(added++);
        }
        queue.publish();
        return most;
    }

    boolean poll(FaultReport into) {
        if (!queue.poll()) {
            kickIfRefilled();
            return false;
        }
        long buffer = queue.usedToken();
        into.set(buffers, buffer * STRIDE, queue.usedLength());
        add(buffer);
        queue.publish();
        refilled = true;
        return true;
    }

    private void add(long buffer) {
        long offset = buffer * STRIDE;
        buffers.fill(offset, FaultEvent.SIZE, 0xff);
        queue.add(buffer, 0, 0, buffers.address() + offset, FaultEvent.SIZE);
    }

    private void kickIfRefilled() {
        if (refilled) {
            refilled = false;
            if (queue.kickNeeded()) {
                transport.notifyQueue(queue.index());
            }
        }
    }
}
