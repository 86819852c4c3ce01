// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioEntropy;

/**
 * An entropy source that always has a DMA in flight while a driver uses it. It arrives when the machine is reset:
 * before the reset of this device returns, or, if it is not waited for, when {@link #arrive} says so.
 */
final class UnrulyEntropy implements VirtioDevice, AutoCloseable {

    private static final int BYTES = 64;

    private final VirtioEntropy entropy = new VirtioEntropy();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment data = arena.allocate(BYTES).fill((byte) 0x5a);
    private volatile @Nullable DmaHandle inFlight;
    private final long target;
    private final boolean awaits;
    private boolean active;
    private volatile boolean late;
    private final AtomicInteger arrivals = new AtomicInteger();

    /**
     * A source whose DMA in flight goes to the target.
     *
     * @param target an I/O virtual address
     * @param awaits whether a reset waits for the DMA in flight
     */
    UnrulyEntropy(long target, boolean awaits) {
        this.target = target;
        this.awaits = awaits;
    }

    /** Begins to be unruly. */
    void begin(DmaSpace dma) {
        inFlight = dma.open("in flight");
    }

    /** Lets a DMA arrive that was in flight at a reset and not waited for. */
    void arrive() {
        if (late) {
            late = false;
            write();
        }
    }

    /** How often a DMA in flight has arrived, or tried to. */
    int arrivals() {
        return arrivals.get();
    }

    private void write() {
        arrivals.incrementAndGet();
        DmaHandle dma = Objects.requireNonNull(inFlight);
        dma.enter();
        DmaResult ignored = dma.write(target, data, 0, BYTES);
        dma.leave();
    }

    @Override
    public void reset(ResetKind kind) {
        if (active && kind == ResetKind.SYSTEM) {
            if (awaits) {
                write();
            } else {
                late = true;
            }
        }
        active = false;
        entropy.reset(kind);
    }

    @Override
    public void stop() {
        entropy.stop();
    }

    @Override
    public boolean isIdle(int queue) {
        return entropy.isIdle(queue);
    }

    @Override
    public void activate(DeviceContext context) {
        active = true;
        entropy.activate(context);
    }

    @Override
    public DeviceInfo info() {
        return entropy.info();
    }

    @Override
    public Features offered() {
        return entropy.offered();
    }

    @Override
    public void kicked(int queue) {
        entropy.kicked(queue);
    }

    @Override
    public long readConfig(int offset, int width) {
        return entropy.readConfig(offset, width);
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        entropy.writeConfig(offset, width, value);
    }

    @Override
    public void close() {
        Objects.requireNonNull(inFlight).close();
        arena.close();
    }
}
