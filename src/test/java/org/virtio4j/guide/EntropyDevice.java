// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.wire.DeviceType;

// guide: begin
/** Fills every buffer with random bytes (virtio 1.4, section 5.4). */
final class EntropyDevice implements VirtioDevice {

    private final ReentrantLock serving = new ReentrantLock();
    private final SecureRandom random = new SecureRandom();
    private final byte[] fresh = new byte[4096];
    private final MemorySegment source = MemorySegment.ofArray(fresh);
    private final Chain chain = new Chain();                 // a slot, used again for every buffer
    private volatile @Nullable DeviceContext context;

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(DeviceType.ENTROPY, List.of(64), 0);    // one queue, no configuration
    }

    @Override
    public Features offered() {
        return Features.NONE;                                // ring features are offered by the life cycle
    }

    @Override
    public void activate(DeviceContext active) {
        context = active;
    }

    @Override
    public void kicked(int queue) {                          // any thread, several at once
        DeviceContext active = context;
        DeviceQueue ring = active == null ? null : active.queue(queue);
        if (active == null || ring == null) {
            return;
        }
        boolean interrupt;
        serving.lock();
        try {
            interrupt = serve(ring);
        } finally {
            serving.unlock();
        }
        if (interrupt) {
            active.interrupt(queue);                         // under no lock: it calls the embedder
        }
        if (ring.failure() != QueueFailure.NONE) {
            active.queueFailed(queue);                       // the driver broke the ring: DEVICE_NEEDS_RESET
        }
    }

    private boolean serve(DeviceQueue ring) {
        int left = ring.size();                              // a bound: a guest can add as fast as we take
        do {
            while (left > 0 && fillNext(ring)) {
                left--;
            }
        } while (ring.enableNotifications() && left > 0);
        return ring.publish();
    }

    private boolean fillNext(DeviceQueue ring) {
        random.nextBytes(fresh);                             // outside the section: it may block
        ring.enter();
        try {
            boolean taken = ring.poll(chain);
            if (taken) {
                chain.write(0, source, 0, Math.min(chain.writableLength(), fresh.length));
                ring.complete(chain);
            }
            return taken;
        } finally {
            ring.leave();                                    // also when a file that is guest memory was cut short
        }
    }

    @Override
    public void reset(ResetKind kind) {
        context = null;                                      // its queues are closed already, and give nothing
    }

    @Override
    public long readConfig(int offset, int width) {
        return 0;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        // There is no configuration.
    }
}
// guide: end
