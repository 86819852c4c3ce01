// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;

/**
 * A device of an embedder's own, each method of which may throw; it fills buffers with one value, in kicks or on a
 * thread of its own.
 */
final class CallbackDevice implements VirtioDevice, QueueWork, AutoCloseable {

    static final int VALUE = 0x5a;
    private static final int TYPE = 4;
    private static final int QUEUE_SIZE = 16;
    private static final int CONFIG_SIZE = 8;
    private static final int MOST = 64;

    private final CallbackTrap trap;
    private final QueueLoop loop = new QueueLoop(0, this);
    private final MemorySegment source = Arena.ofAuto().allocate(MOST).fill((byte) VALUE);

    /** What the thread does when there is nothing to do; null if there is no thread. */
    private final @Nullable CallbackIdles idles;
    private final @Nullable Thread thread;
    private final AtomicBoolean kicked = new AtomicBoolean();
    private volatile boolean closed;

    CallbackDevice(CallbackTrap trap, @Nullable CallbackIdles idles) {
        this.trap = trap;
        this.idles = idles;
        this.thread = idles == null ? null : Thread.ofPlatform().daemon().start(() -> serveUntilClosed(idles));
    }

    private void serveUntilClosed(CallbackIdles idling) {
        while (!closed) {
            if (kicked.getAndSet(false)) {
                serveOnce();
            } else {
                idling.idle();
            }
        }
    }

    private void serveOnce() {
        try {
            if (loop.serve()) {
                kicked.set(true);
            }
        } catch (RuntimeException | Error failure) {
            trap.out(failure);
        } finally {
            boolean ignored = Thread.interrupted();
        }
    }

    @Override
    public void close() {
        closed = true;
        if (idles != null) {
            LockSupport.unpark(thread);
        }
    }

    // QueueWork

    @Override
    public int batch() {
        return 2;
    }

    @Override
    public int room() {
        trap.pass(Callback.OWN_ROOM);
        return batch();
    }

    @Override
    public void take(int slot, Chain chain) {
        trap.pass(Callback.OWN_TAKE);
    }

    @Override
    public boolean work(int count, QueueLoop served) {
        trap.pass(Callback.OWN_WORK);
        return true;
    }

    @Override
    public boolean answer(int slot, Chain chain) {
        trap.pass(Callback.OWN_ANSWER);
        return chain.write(0, source, 0, Math.min(chain.writableLength(), MOST)) != DmaResult.CLOSED;
    }

    @Override
    public void beforePublish(int count) {
        trap.pass(Callback.OWN_BEFORE_PUBLISH);
    }

    @Override
    public void published(int count, boolean interrupt) {
        trap.pass(Callback.OWN_PUBLISHED);
    }

    @Override
    public boolean lingers() {
        trap.pass(Callback.OWN_LINGERS);
        return false;
    }

    @Override
    public void passed() {
        trap.pass(Callback.OWN_PASSED);
    }

    // VirtioDevice

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(TYPE, List.of(QUEUE_SIZE), CONFIG_SIZE);
    }

    @Override
    public Features offered() {
        return Features.NONE;
    }

    @Override
    public void negotiated(Features features) {
        trap.pass(Callback.OWN_NEGOTIATED);
    }

    @Override
    public void activate(DeviceContext active) {
        loop.start(active);
        trap.pass(Callback.OWN_ACTIVATE);
    }

    @Override
    public void kicked(int queue) {
        trap.pass(Callback.OWN_KICKED);
        if (thread == null) {
            loop.kick();
        } else {
            kicked.set(true);
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void queueStarted(int queue) {
        trap.pass(Callback.OWN_QUEUE_STARTED);
    }

    @Override
    public void queueStopped(int queue) {
        trap.pass(Callback.OWN_QUEUE_STOPPED);
    }

    @Override
    public void stop() {
        loop.stop();
        trap.pass(Callback.OWN_STOP);
    }

    @Override
    public boolean isIdle(int queue) {
        trap.pass(Callback.OWN_IS_IDLE);
        return loop.isIdle();
    }

    @Override
    public void reset(ResetKind kind) {
        trap.pass(Callback.OWN_RESET);
    }

    @Override
    public long readConfig(int offset, int width) {
        trap.pass(Callback.OWN_READ_CONFIG);
        return 0;
    }

    @Override
    public int configVersion() {
        trap.pass(Callback.OWN_CONFIG_VERSION);
        return 0;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        trap.pass(Callback.OWN_WRITE_CONFIG);
    }
}
