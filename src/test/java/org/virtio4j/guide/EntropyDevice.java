// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.List;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.SoleOwner;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;
import org.virtio4j.wire.DeviceType;

// guide: begin

/** Fills every buffer with random bytes (virtio 1.4, section 5.4). */
final class EntropyDevice implements VirtioDevice, QueueWork {

    private final SoleOwner owner = new SoleOwner();                  // one window or function, and not two
    private final QueueLoop requests = new QueueLoop(0, this);        // decides when to look and when to stop
    private final SecureRandom random = new SecureRandom();
    private final byte[] fresh = new byte[4096];
    private final MemorySegment source = MemorySegment.ofArray(fresh);

    // What is done with a buffer

    @Override
    public void take(int slot, Chain chain) {
        // Nothing is read from it.
    }

    @Override
    public boolean work(int count) {
        random.nextBytes(fresh);                             // outside any section: it may block
        return true;
    }

    @Override
    public boolean answer(int slot, Chain chain) {           // inside a section: copy and go
        long length = Math.min(chain.writableLength(), fresh.length);
        return chain.write(0, source, 0, length) != DmaResult.CLOSED;    // CLOSED: again when memory is back
    }

    // What device it is

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(DeviceType.ENTROPY, List.of(64), 0);    // one queue, no configuration
    }

    @Override
    public Features offered() {
        return Features.NONE;                                // the life cycle offers the features of rings
    }

    @Override
    public SoleOwner owner() {
        return owner;
    }

    @Override
    public void activate(DeviceContext active) {
        requests.start(active);
    }

    @Override
    public void kicked(int queue) {                          // any thread, several at once; one of them serves
        requests.kick();
    }

    @Override
    public void stop() {                                     // a reset begins; the queues are closed already ...
        requests.stop();
    }

    @Override
    public boolean isIdle(int queue) {                       // ... it waits for what is at work ...
        return requests.isIdle();
    }

    @Override
    public void reset(ResetKind kind) {
        // ... and has no state to clear.
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
