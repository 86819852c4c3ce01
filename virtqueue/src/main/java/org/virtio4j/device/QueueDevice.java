// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A device that is described by its queues and by what is done with their chains. A subclass names its device type and
 * makes its queues, each with a {@link ChainHandler}; serving them, starting, stopping and resetting is done here.
 *
 * <pre>{@code
 * final class EchoDevice extends QueueDevice {
 *
 *     private final MemorySegment copy = Arena.ofAuto().allocate(4096);
 *
 *     EchoDevice() {
 *         super(61);
 *         queue(64, this::echo);
 *     }
 *
 *     private void echo(ServedChain chain) {
 *         long length = Math.min(copy.byteSize(), Math.min(chain.readableLength(), chain.writableLength()));
 *         chain.read(0, copy, 0, length);
 *         chain.write(0, copy, 0, length);
 *     }
 * }
 * }</pre>
 *
 * <p>The methods that {@link VirtioDevice} has are called by the life cycle, in the order and on the threads that its
 * page says. A subclass may override those that are not final. Where it overrides {@link #activate}, {@link
 * #queueStarted}, {@link #queueStopped}, {@link #kicked}, {@link #poll}, {@link #stop} or {@link #isIdle(int)}, it
 * calls the overridden method, too. {@link #queue} and {@link #configuration} are for the constructor. All other
 * methods may be called from any thread.
 */
public abstract class QueueDevice implements VirtioDevice {

    private static final long NAP_NANOS = 50_000;

    private final int deviceType;
    private final int configSize;
    private final SoleOwner owner = new SoleOwner();

    /** Guards the workers. Taken after the life cycle's lock, and held as long as it takes to start a thread. */
    private final ReentrantLock control = new ReentrantLock();

    private ServedQueue[] queues = {};
    private @Nullable DeviceConfig config;
    private @Nullable DeviceInfo info;
    private volatile @Nullable DeviceContext context;

    /** Whether no thread is started any more. */
    private boolean ended;

    /**
     * A device without configuration, or whose configuration is made by {@link #configuration}.
     *
     * @param deviceType the device ID of virtio 1.4, section 5; any number above 0 is taken
     */
    protected QueueDevice(int deviceType) {
        this(deviceType, 0);
    }

    /**
     * A device that overrides {@link #readConfig}.
     *
     * @param deviceType the device ID of virtio 1.4, section 5
     * @param configSize length of the device configuration in bytes
     */
    protected QueueDevice(int deviceType, int configSize) {
        this.deviceType = deviceType;
        this.configSize = configSize;
    }

    // For the constructor

    /**
     * Adds the next queue.
     *
     * @param size    the largest size that a driver may choose, a power of two up to 32,768
     * @param handler what is done with a chain
     * @return the queue, to say how it is served
     */
    protected final ServedQueue queue(int size, ChainHandler handler) {
        HandlerWork work = new HandlerWork(handler);
        return add(new QueueLoop(queues.length, work), size, work);
    }

    /**
     * Adds the next queue, for a device that serves batches, or does things in sections itself.
     *
     * @param size the largest size that a driver may choose, a power of two up to 32,768
     * @param work what is done with a batch of chains
     * @return the queue, to say how it is served
     */
    protected final ServedQueue queue(int size, QueueWork work) {
        return add(new QueueLoop(queues.length, work), size, null);
    }

    /**
     * Adds the next queue, for a device that has made its loop itself, with a lock of its own or
     * {@linkplain QueueLoop#inTurns in turns}.
     *
     * @param size the largest size that a driver may choose, a power of two up to 32,768
     * @param loop with the next index
     * @return the queue, to say how it is served
     * @throws IllegalArgumentException if the loop has another index
     */
    protected final ServedQueue queue(int size, QueueLoop loop) {
        if (loop.index() != queues.length) {
            throw new IllegalArgumentException("index=" + loop.index() + ", but the next queue is " + queues.length
                    + "; add queues in their order");
        }
        return add(loop, size, null);
    }

    /**
     * Gives the device a configuration that its driver reads. If the driver may write a part of it, override {@link
     * #writeConfig}, and for that part {@link #readConfig}. Both are called under locks: neither may call {@link
     * DeviceConfig#change}, which notifies the driver.
     *
     * @param size its length in bytes
     * @return the configuration, to change it; its first content is given by {@link DeviceConfig#change}, too
     */
    protected final DeviceConfig configuration(int size) {
        checkNew();
        if (config != null) {
            throw new IllegalStateException("configuration=made; a device has one");
        }
        DeviceConfig made = new DeviceConfig(size, this::configChanged);
        config = made;
        return made;
    }

    // For the device

    /** Says that what {@link #readConfig} gives has changed, for a device that overrides it. */
    protected final void configChanged() {
        DeviceContext active = context;
        if (active != null) {
            active.configChanged();
        }
    }

    /**
     * What was negotiated.
     *
     * @return the features of the present activation, those of rings and transports among them; {@link Features#NONE}
     *         before {@code DRIVER_OK} and after a reset
     */
    protected final Features features() {
        DeviceContext active = context;
        return active == null ? Features.NONE : active.features();
    }

    /**
     * Sets {@code DEVICE_NEEDS_RESET} and notifies the driver (virtio 1.4, section 2.1.2), for a device whose driver
     * did what leaves no way to go on. Only the first reason counts. Under no lock that an embedder's interrupt may
     * wait for.
     *
     * @param reason what went wrong, for the embedder
     */
    protected final void needsReset(String reason) {
        DeviceContext active = context;
        if (active != null) {
            active.needsReset(reason);
        }
    }

    /**
     * Ends with the device itself, for a device that is closed: stops, starts no more workers, and waits until no other
     * thread is at work for it. The function or window is closed before, or its driver waits for answers that do not
     * come. Any thread, but not in a callback of this device.
     *
     * @param limit how long to wait
     * @return false if a thread is still at work; it ends when its handler returns
     */
    protected final boolean endServing(Duration limit) {
        control.lock();
        try {
            ended = true;
            stop();
        } finally {
            control.unlock();
        }
        long started = System.nanoTime();
        while (!isIdle()) {
            if (System.nanoTime() - started > limit.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(NAP_NANOS);
        }
        return true;
    }

    // VirtioDevice

    @Override
    public final DeviceInfo info() {
        DeviceInfo known = info;
        if (known == null) {
            List<Integer> sizes = new ArrayList<>();
            for (ServedQueue queue : queues) {
                sizes.add(queue.size());
            }
            DeviceConfig own = config;
            known = new DeviceInfo(deviceType, sizes, own == null ? configSize : own.size());
            info = known;
        }
        return known;
    }

    @Override
    public Features offered() {
        return Features.NONE;
    }

    @Override
    public final SoleOwner owner() {
        return owner;
    }

    @Override
    public void activate(DeviceContext active) {
        context = active;
        for (ServedQueue queue : queues) {
            queue.start(active);
        }
        for (int i = 0; i < queues.length; i++) {
            if (active.queue(i) != null) {
                queueStarted(i);
            }
        }
    }

    /** Starts the queue's thread, if it has one. */
    @Override
    public void queueStarted(int queue) {
        control.lock();
        try {
            if (!ended) {
                queues[queue].startWorker();
            }
        } finally {
            control.unlock();
        }
    }

    @Override
    public void kicked(int queue) {
        queues[queue].kick();
    }

    @Override
    public int poll(int queue) {
        return queues[queue].poll();
    }

    @Override
    public void queueStopped(int queue) {
        queues[queue].stopWorker();
    }

    @Override
    public void stop() {
        context = null;
        for (ServedQueue queue : queues) {
            queue.stop();
        }
    }

    @Override
    public boolean isIdle(int queue) {
        return queues[queue].isIdle();
    }

    /** Does nothing: most devices have no state that a driver has set up. */
    @Override
    public void reset(ResetKind kind) {
        // The life cycle resets the queues.
    }

    @Override
    public long readConfig(int offset, int width) {
        DeviceConfig own = config;
        return own == null ? 0 : own.read(offset, width);
    }

    @Override
    public int configVersion() {
        DeviceConfig own = config;
        return own == null ? 0 : own.version();
    }

    /** Most devices have a configuration that the driver only reads. */
    @Override
    public void writeConfig(int offset, int width, long value) {
        // What cannot be written is ignored.
    }

    private boolean isIdle() {
        for (int i = 0; i < queues.length; i++) {
            if (!isIdle(i)) {
                return false;
            }
        }
        return true;
    }

    private ServedQueue add(QueueLoop loop, int size, @Nullable HandlerWork handled) {
        checkNew();
        ServedQueue queue = new ServedQueue(loop, size, handled);
        ServedQueue[] more = Arrays.copyOf(queues, queues.length + 1);
        more[queues.length] = queue;
        queues = more;
        return queue;
    }

    private void checkNew() {
        if (info != null) {
            throw new IllegalStateException("device=" + this + " has been described to a transport already; make queues"
                    + " and configuration in the constructor");
        }
    }
}
