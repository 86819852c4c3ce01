// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;

/** What all parts of one life cycle share: the device and the transport it stands between, its lock and its state. */
final class LifecycleState {

    final VirtioDevice device;
    final DeviceInfo info;
    final DmaSpace dma;
    final TransportSignals signals;

    /** How long a reset waits for what the device is doing elsewhere before its caller goes on, in nanoseconds. */
    final long patienceNanos;

    /** The control lock. */
    final ReentrantLock lock = new ReentrantLock();
    final StatusMachine status = new StatusMachine();
    final QueueRegisters[] queues;
    final Endings endings;
    final Reports reports;

    /** Whether no driver starts the device any more; a reset then gives it up. Guarded by the lock. */
    boolean over;

    /**
     * Whether the device may belong to another life cycle by now, so that nothing of it is touched any more. Set under
     * the lock and under that of {@link ConfigWindow}'s readers, so that holding either is enough to look at it.
     */
    boolean givenUp;

    LifecycleState(VirtioDevice device, DmaSpace dma, TransportSignals signals, long patienceNanos) {
        this.device = device;
        this.info = device.info();
        this.dma = dma;
        this.signals = signals;
        this.patienceNanos = patienceNanos;
        this.queues = info.queueSizes().stream().map(QueueRegisters::new).toArray(QueueRegisters[]::new);
        this.endings = new Endings(device, queues.length);
        this.reports = new Reports(status, signals);
    }

    /** Whether a reset has begun and is not complete. Any thread, no lock. */
    boolean isResetting() {
        return endings.reset() != null;
    }

    boolean exists(long queue) {
        return queue >= 0 && queue < queues.length;
    }
}
