// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * The life of one device as every transport drives it (virtio 1.4, sections 2.1 to 2.6, 3.1): status, features, queues,
 * resets and configuration. A transport spells these calls as registers and adds nothing.
 *
 * <p>Any thread may call any method. All take the control lock but {@link #kick}, {@link #poll}, {@link #status},
 * {@link #readConfig} and {@link #configGeneration}, which do not ({@code status} does while a reset is under way). No
 * method waits under that lock for what a device does elsewhere: a reset stops everything under it, waits outside of
 * it, and is finished under it; see {@link VirtioDevice}.
 *
 * <p><b>Order of locks.</b> Under the control lock handles are opened and the device is called; an IOMMU before the
 * device, and the device itself, take locks of their own then. So who is called under such a lock, as an IOMMU's
 * listeners are, may use those five methods and no other.
 *
 * <p>What a driver writes against the rules is ignored, and reading back shows it; nothing here throws because of
 * it. A step of the status that clears a bit, or that takes {@code FEATURES_OK} without {@code DRIVER} or
 * {@code DRIVER_OK} without {@code FEATURES_OK}, leaves the status as it is. Nothing needs {@code ACKNOWLEDGE}.
 */
public final class DeviceLifecycle {

    private static final int DRIVER_BITS = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK
            | DeviceStatus.DRIVER_OK | DeviceStatus.FAILED;

    /** Section 2.2: these are for rings, transports and the future, and so not for a device type. */
    private static final int FIRST_COMMON_BIT = 24;
    private static final int LAST_COMMON_BIT = 49;

    /** Makes the device's side of a ring; the layout follows from what was negotiated. */
    interface RingFactory {
        DeviceQueue open(QueueSettings settings, DmaHandle dma);
    }

    private final VirtioDevice device;
    private final DeviceInfo info;
    private final DmaSpace dma;
    private final TransportSignals signals;
    private final long patienceNanos;
    private final RingFactory rings;
    private final Features offered;
    private final boolean polled;
    private final QueueRegisters[] queues;
    private final Endings endings;
    private final ReentrantLock lock = new ReentrantLock();

    /**
     * Guards the generation. The last in the order of locks, so that a configuration can be read under any: by an
     * IOMMU's listener, say, while another thread starts or resets the device and waits for that IOMMU.
     */
    private final ReentrantLock reading = new ReentrantLock();

    /** Written under the lock, but for NEEDS_RESET, which a device at work sets; so changes are atomic. */
    private final AtomicInteger status = new AtomicInteger();
    private volatile @Nullable DeviceContext context;

    /** Set before the bit of the status, and cleared after it: who sees the bit finds the reason. */
    private final AtomicReference<String> needsResetReason = new AtomicReference<>("");
    private volatile boolean configDirty;
    private volatile DeviceListener listener = DeviceListener.NONE;

    private Features driverFeatures = Features.NONE;
    private boolean over;

    /**
     * Whether the device may be another's by now, so that nothing of it is touched any more. Set under the control lock
     * and under {@link #reading}, so that either is enough to look at it.
     */
    private boolean givenUp;

    /** Guarded by {@link #reading}, as is what the device said when its configuration was read last. */
    private int configGeneration;
    private int configVersion;

    /**
     * Puts a device behind a transport.
     *
     * @param device        the device; it belongs to this life cycle alone
     * @param dma           what its rings and buffers are reached through
     * @param signals       the transport's way to the guest
     * @param patienceNanos how long a reset waits for what the device is doing elsewhere before its caller goes on, in
     *                      nanoseconds; {@link Long#MAX_VALUE} where a driver cannot see whether a reset is complete
     * @throws IllegalArgumentException if the device offers bits that are not a device type's to offer
     */
    public DeviceLifecycle(VirtioDevice device, DmaSpace dma, TransportSignals signals, long patienceNanos) {
        this(device, dma, signals, patienceNanos, SplitQueue::new);
    }

    DeviceLifecycle(VirtioDevice device, DmaSpace dma, TransportSignals signals, long patienceNanos,
            RingFactory rings) {
        this.device = device;
        this.info = device.info();
        this.dma = dma;
        this.signals = signals;
        this.patienceNanos = patienceNanos;
        this.rings = rings;
        this.offered = offer(device, dma);
        this.polled = device.isPolled();
        this.configVersion = device.configVersion();
        this.queues = info.queueSizes().stream().map(QueueRegisters::new).toArray(QueueRegisters[]::new);
        this.endings = new Endings(device, queues.length);
    }

    /**
     * Tells somebody why the device stands still, from now on.
     *
     * @param told who is told, instead of whoever was before
     */
    public void listener(DeviceListener told) {
        listener = told;
    }

    /**
     * Takes the device for this life cycle alone, until the reset that follows on {@link #end} is complete. The last
     * step of a transport's construction that may fail, lest the device stay taken by what was never made.
     *
     * @throws IllegalStateException if another life cycle has it, where the device looks ({@link VirtioDevice#owner})
     */
    public void claim() {
        SoleOwner owner = device.owner();
        if (owner != null) {
            owner.take(this, device);
        }
    }

    GuestMemory memory() {
        return dma.memory();
    }

    DeviceListener listener() {
        return listener;
    }

    /**
     * What device this is.
     *
     * @return what {@link VirtioDevice#info} said
     */
    public DeviceInfo info() {
        return info;
    }

    // Status

    /**
     * The device status. While a reset is under way, this finishes it if it can be finished, and else shows the status
     * of before (virtio 1.4, section 4.1.4.3.1).
     *
     * @return a sum of {@link DeviceStatus} bits
     */
    public int status() {
        if (endings.reset() != null) {
            boolean ignored = finishReset();
        }
        return status.get();
    }

    /**
     * Writes the device status. 0 is a {@link #reset}; anything else is ignored while a reset is under way.
     *
     * @param value what the driver wrote; bits that are not the driver's to set are ignored
     */
    public void writeStatus(int value) {
        if (value == 0) {
            boolean ignored = reset(ResetKind.DEVICE);
            return;
        }
        boolean started = false;
        Throwable failed = null;
        String refused = "";
        lock.lock();
        try {
            int old = status.get() & DRIVER_BITS;
            int wanted = value & DRIVER_BITS;
            boolean legal = (old & ~wanted) == 0 && inOrder(wanted);
            if (legal && endings.reset() == null && !over) {
                refused = (wanted & ~old & DeviceStatus.FEATURES_OK) == 0 ? "" : refusal(driverFeatures);
                started = advance(old, wanted, refused.isEmpty());
            }
        } catch (RuntimeException | Error failure) {
            // Where the start failed, it has said so already.
            boolean ignored = latchNeedsReset("status write: " + failure);
            failed = failure;
        } finally {
            lock.unlock();
        }
        if (!refused.isEmpty()) {
            listener.featuresRefused(refused);
        }
        if (started) {
            kickAll();
        }
        if (failed != null) {
            failed = FirstFailure.after(failed, () -> endings.closeShut(lock));
            FirstFailure.throwIt(FirstFailure.after(failed, this::tellNeedsReset));
        }
    }

    /**
     * Resets the device. From the moment this has closed the queues, which takes no longer than the sections that are
     * open, nothing of before reaches guest memory any more. Then it waits until nothing is being carried out any more,
     * up to the transport's patience, and finishes: no interrupt of before is sent after that. A reset that is not
     * complete by then is finished by {@link #status}, which shows something else than 0 until then, or by the next
     * call of this.
     *
     * <p>From within a callback of the device's own, what the callback's thread has at work is not waited for.
     *
     * @param kind how much is taken back
     * @return whether the reset is complete
     */
    public boolean reset(ResetKind kind) {
        boolean[] complete = new boolean[1];
        Throwable thrown = FirstFailure.after(null, () -> complete[0] = !stop(kind));
        if (complete[0]) {
            return true;
        }
        // Whatever came out of the device or of an embedder, the reset goes on.
        thrown = FirstFailure.after(thrown, () -> endings.closeShut(lock));
        thrown = FirstFailure.after(thrown,
                () -> complete[0] = new EndingWait(listener).await(this::finishReset, patienceNanos));
        FirstFailure.throwIt(thrown);
        return complete[0];
    }

    /**
     * Lets no driver start the device any more: what it writes to the status is ignored. A reset must follow; once that
     * is complete, the device may be given to another life cycle, and this one leaves it alone.
     */
    public void end() {
        lock.lock();
        try {
            over = true;
        } finally {
            lock.unlock();
        }
    }

    /** The device was at work when this life cycle ended: whoever wants it next finishes the reset, if that can be. */
    void finishEnd() {
        boolean ended;
        lock.lock();
        try {
            ended = over;
        } finally {
            lock.unlock();
        }
        if (ended) {
            boolean ignored = finishReset();
        }
    }

    /** False if there is nothing to reset, for the device may be another's. */
    private boolean stop(ResetKind kind) {
        lock.lock();
        try {
            if (!givenUp) {
                beginReset(kind);
            }
            return !givenUp;
        } finally {
            lock.unlock();
        }
    }

    /** Stops everything, under the lock. A reset that comes while another one waits makes it as thorough as the two. */
    private void beginReset(ResetKind kind) {
        DeviceContext ended = context;
        context = null;
        for (int i = 0; i < queues.length; i++) {
            closeQueue(ended, i);
        }
        if (ended != null) {
            ended.end();
        }
        endings.beginReset(ended, kind);
        device.stop();
    }

    /** True if no reset is under way any more. */
    private boolean finishReset() {
        ResetKind kind;
        Throwable thrown;
        lock.lock();
        try {
            kind = endings.takeFinishedReset();
            if (kind == null) {
                return endings.reset() == null;
            }
            thrown = FirstFailure.after(null, () -> finish(kind));
        } finally {
            lock.unlock();
        }
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> listener.resetCompleted(kind)));
        return true;
    }

    private void finish(ResetKind kind) {
        // Whatever comes out of the device or its transport, the driver finds a device that was reset.
        Throwable thrown = FirstFailure.after(null, () -> device.reset(kind));
        for (QueueRegisters queue : queues) {
            queue.reset();
        }
        driverFeatures = Features.NONE;
        needsResetReason.set("");
        thrown = FirstFailure.after(thrown, signals::deviceReset);
        status.set(0);
        // A driver's own reset may be complete between the end and the reset that follows on it, which does more.
        if (over && kind != ResetKind.DEVICE) {
            thrown = FirstFailure.after(thrown, this::giveUpDevice);
        }
        FirstFailure.throwIt(thrown);
    }

    private void giveUpDevice() {
        reading.lock();
        try {
            givenUp = true;
        } finally {
            reading.unlock();
        }
        SoleOwner owner = device.owner();
        if (owner != null) {
            owner.release(this);
        }
    }

    /**
     * Whether a reset is under way that took longer than its caller's patience. Takes no lock.
     *
     * @return true until {@link #status} or another reset has finished it
     */
    public boolean isResetting() {
        return endings.reset() != null;
    }

    /**
     * Why {@code DEVICE_NEEDS_RESET} is set.
     *
     * @return the first reason since the last reset; empty if there is none
     */
    public String needsResetReason() {
        return needsResetReason.get();
    }

    // Features

    /**
     * 32 of the feature bits the device offers.
     *
     * @param select which word; 0 is returned beyond the last
     * @return the bits
     */
    public int deviceFeatures(long select) {
        return word(offered, select);
    }

    /**
     * 32 of the bits the driver has accepted so far, as far as they are offered.
     *
     * @param select which word; 0 is returned beyond the last
     * @return the bits
     */
    public int driverFeatures(long select) {
        lock.lock();
        try {
            return word(driverFeatures.and(offered), select);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Accepts 32 feature bits. Ignored once {@code FEATURES_OK} is set.
     *
     * @param select which word
     * @param bits   what the driver accepts; bits that are not offered make {@code FEATURES_OK} fail
     */
    public void writeDriverFeatures(long select, int bits) {
        lock.lock();
        try {
            boolean open = (status.get() & DeviceStatus.FEATURES_OK) == 0 && endings.reset() == null;
            if (open && select >= 0 && select < Features.WORDS) {
                driverFeatures = driverFeatures.withWord((int) select, bits);
            }
        } finally {
            lock.unlock();
        }
    }

    // Queues

    /**
     * How many queues there are.
     *
     * @return a count
     */
    public int queueCount() {
        return queues.length;
    }

    /**
     * The largest size a queue can have.
     *
     * @param queue what the driver selected
     * @return entries, 0 when there is no such queue
     */
    public int queueSizeMax(long queue) {
        return exists(queue) ? queues[(int) queue].sizeMax() : 0;
    }

    /**
     * The size a queue has now.
     *
     * @param queue what the driver selected
     * @return entries, 0 when there is no such queue
     */
    public int queueSize(long queue) {
        lock.lock();
        try {
            return exists(queue) ? queues[(int) queue].size() : 0;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Chooses the size of a queue. Ignored while the queue is enabled, and for anything but a power of two up to the
     * largest size.
     *
     * @param queue what the driver selected
     * @param size  entries
     * @param shown whether the driver can read the size back; else a queue whose size was not taken cannot be enabled
     */
    public void writeQueueSize(long queue, long size, boolean shown) {
        lock.lock();
        try {
            if (exists(queue)) {
                queues[(int) queue].writeSize(size, shown);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Where an area of a queue lies.
     *
     * @param queue what the driver selected
     * @param area  which part
     * @return the address that was written, 0 when there is no such queue
     */
    public long queueAddress(long queue, QueueArea area) {
        lock.lock();
        try {
            return exists(queue) ? queues[(int) queue].address(area) : 0;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Says where an area of a queue lies. Ignored while the queue is enabled.
     *
     * @param queue   what the driver selected
     * @param area    which part
     * @param address an address of the device's DMA space
     */
    public void writeQueueAddress(long queue, QueueArea area, long address) {
        lock.lock();
        try {
            if (exists(queue)) {
                queues[(int) queue].writeAddress(area, address);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes bits 0 to 31 of an area's address.
     *
     * @param queue what the driver selected
     * @param area  which part
     * @param bits  the low half
     */
    public void writeQueueAddressLow(long queue, QueueArea area, int bits) {
        lock.lock();
        try {
            long high = (queueAddress(queue, area) >>> Integer.SIZE) << Integer.SIZE;
            writeQueueAddress(queue, area, high | Integer.toUnsignedLong(bits));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes bits 32 to 63 of an area's address.
     *
     * @param queue what the driver selected
     * @param area  which part
     * @param bits  the high half
     */
    public void writeQueueAddressHigh(long queue, QueueArea area, int bits) {
        lock.lock();
        try {
            long low = queueAddress(queue, area) & 0xffff_ffffL;
            writeQueueAddress(queue, area, (Integer.toUnsignedLong(bits) << Integer.SIZE) | low);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether a queue is enabled.
     *
     * @param queue what the driver selected
     * @return false also when there is no such queue
     */
    public boolean queueEnabled(long queue) {
        return exists(queue) && queues[(int) queue].enabled();
    }

    /**
     * Enables a queue with the size and addresses written so far. A queue whose areas are misaligned or wrap around, or
     * whose size was not taken, stays disabled, and the device needs a reset; so does one that a device that runs fails
     * to start, and what it failed by comes out.
     *
     * @param queue what the driver selected; ignored when there is no such queue, or it is enabled or being reset
     */
    public void enableQueue(long queue) {
        DeviceContext active;
        Throwable failed = null;
        String refused;
        boolean first = false;
        lock.lock();
        try {
            active = context;
            if (!exists(queue) || queues[(int) queue].enabled() || endings.isEnding((int) queue)) {
                return;
            }
            refused = queues[(int) queue].refusal();
            if (refused.isEmpty()) {
                failed = enable((int) queue);
            }
            first = active == null && !refused.isEmpty() && latchNeedsReset("queue " + queue + ": " + refused);
        } finally {
            lock.unlock();
        }
        if (failed != null) {
            awaitQueue(queue, patienceNanos, active, failed, "could not start: ");
        } else if (!refused.isEmpty()) {
            tellRefused(active, first, "queue " + queue + ": " + refused);
        } else if (polled) {
            // Its driver is asked not to notify before it does so for the first time.
            kick(queue);
        }
    }

    private void tellRefused(@Nullable DeviceContext active, boolean first, String reason) {
        if (active != null) {
            // Through the activation, so that a reset that comes between keeps it from being told of the next one.
            active.needsReset(reason);
        } else if (first) {
            listener.needsReset(reason);
        }
    }

    /** What kept a device that runs from starting the queue, which is stopped then; null if nothing did. */
    private @Nullable Throwable enable(int queue) {
        DeviceContext active = context;
        Throwable failed = active == null ? null : FirstFailure.after(null, () -> openQueue(active, queue));
        if (failed != null) {
            return failed;
        }
        queues[queue].enabled(true);
        failed = active == null ? null : FirstFailure.after(null, () -> device.queueStarted(queue));
        return failed == null ? null : FirstFailure.join(failed, stopQueue(active, queue, false));
    }

    /**
     * Disables a queue, as only virtio-mmio can. When this returns, the ring and its buffers are not touched any more,
     * and nothing is being carried out for it, however long that takes.
     *
     * @param queue what the driver selected
     */
    public void disableQueue(long queue) {
        DeviceContext active;
        Throwable failed;
        lock.lock();
        try {
            if (!exists(queue)) {
                return;
            }
            active = context;
            failed = stopQueue(active, (int) queue, false);
        } finally {
            lock.unlock();
        }
        awaitQueue(queue, Long.MAX_VALUE, active, failed, "");
    }

    /**
     * Resets one queue (virtio 1.4, section 2.6.1). When the reset is complete, the ring and its buffers are not
     * touched any more, nothing is being carried out for it, and all its state is back to the start. It is complete
     * when this returns, or when {@link #queueResetting} says so if that takes longer than the transport's patience.
     * Ignored unless {@code VIRTIO_F_RING_RESET} was negotiated.
     *
     * @param queue what the driver selected
     * @return whether the queue is being reset, or was; also when an exception of the embedder's comes out instead
     */
    public boolean resetQueue(long queue) {
        DeviceContext active;
        Throwable failed;
        lock.lock();
        try {
            boolean settled = (status.get() & DeviceStatus.FEATURES_OK) != 0;
            boolean can = settled && driverFeatures.has(FeatureBit.RING_RESET) && endings.reset() == null;
            if (!can || !exists(queue)) {
                return false;
            }
            active = context;
            failed = stopQueue(active, (int) queue, true);
        } finally {
            lock.unlock();
        }
        awaitQueue(queue, patienceNanos, active, failed, "");
        return true;
    }

    /**
     * Whether a queue is being reset just now; finishes the reset if it can be finished.
     *
     * @param queue what the driver selected
     * @return true while a {@link #resetQueue} is not complete
     */
    public boolean queueResetting(long queue) {
        return exists(queue) && endings.isEnding((int) queue) && !finishQueue((int) queue)
                && endings.isReset((int) queue);
    }

    /**
     * Says that buffers may be available. Takes no lock; served before it returns, or by the thread that is serving
     * already. Ignored before {@code DRIVER_OK} and for a queue that does not exist or is not enabled.
     *
     * @param queue what the driver wrote
     */
    public void kick(long queue) {
        DeviceContext active = context;
        if (active != null && exists(queue) && queues[(int) queue].enabled()) {
            DeviceQueue kicked = active.queue((int) queue);
            try {
                device.kicked((int) queue);
            } catch (RuntimeException | Error failure) {
                FirstFailure.throwIt(kickFailed(active, (int) queue, kicked, failure));
            }
        }
    }

    /**
     * Looks at every queue, for an embedder whose driver does not notify. Takes no lock and allocates nothing; before
     * {@code DRIVER_OK} there is nothing to look at. What one queue's service throws comes out when all were looked at.
     *
     * @return how many buffers were given back, as {@link VirtioDevice#poll} counts them
     */
    public int poll() {
        DeviceContext active = context;
        if (active == null) {
            return 0;
        }
        int given = 0;
        Throwable thrown = null;
        for (int i = 0; i < queues.length; i++) {
            DeviceQueue queue = active.queue(i);
            try {
                given += queue == null ? 0 : device.poll(i);
            } catch (RuntimeException | Error failure) {
                thrown = FirstFailure.join(thrown, kickFailed(active, i, queue, failure));
            }
        }
        FirstFailure.throwIt(thrown);
        return given;
    }

    /** Who knows what the device had served by then? The driver may wait for buffers that nobody looks at any more. */
    private static @Nullable Throwable kickFailed(DeviceContext active, int index, @Nullable DeviceQueue kicked,
            Throwable failure) {
        if (kicked == null || ToldFailure.is(failure)) {
            return failure;
        }
        // Memory that is cut short is the guest's loss, and nothing to trouble its virtual CPU with.
        Throwable thrown = LostMemory.is(failure) ? null : failure;
        return FirstFailure.after(thrown, () -> active.queueFailed(index, kicked, failure));
    }

    /**
     * Kicks every queue: at {@code DRIVER_OK}, since kicks before it were ignored, and when memory was exchanged. Takes
     * no lock.
     */
    public void kickAll() {
        Throwable thrown = null;
        for (int i = 0; i < queues.length; i++) {
            try {
                kick(i);
            } catch (RuntimeException | Error failure) {
                // What one queue's service throws keeps no other from being served.
                thrown = FirstFailure.join(thrown, failure);
            }
        }
        FirstFailure.throwIt(thrown);
    }

    // Configuration

    /**
     * Reads the device configuration.
     *
     * @param offset bytes, anything
     * @param width  bytes
     * @return the value, zero-extended; 0 for what lies not wholly inside or has no natural width
     */
    public long readConfig(long offset, int width) {
        if (!inConfig(offset, width)) {
            return 0;
        }
        reading.lock();
        try {
            if (givenUp) {
                return 0;
            }
            long value = device.readConfig((int) offset, width);
            // Asked after the value was read, for it may change meanwhile: a driver that read a part of it before must
            // notice (section 2.5.1).
            int version = device.configVersion();
            if (configDirty || version != configVersion) {
                configDirty = false;
                configVersion = version;
                configGeneration++;
            }
            return value;
        } finally {
            reading.unlock();
        }
    }

    /**
     * Writes the device configuration; ignored where {@link #readConfig} would give 0 for its place.
     *
     * @param offset bytes, anything
     * @param width  bytes
     * @param value  its low {@code width} bytes count
     */
    public void writeConfig(long offset, int width, long value) {
        lock.lock();
        try {
            if (inConfig(offset, width) && !givenUp) {
                device.writeConfig((int) offset, width, value);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * The configuration generation: it differs after a changed configuration was read (virtio 1.4, section 4.1.4.3.1).
     *
     * @return a number of which a transport shows as many bits as it has
     */
    public int configGeneration() {
        reading.lock();
        try {
            return configGeneration;
        } finally {
            reading.unlock();
        }
    }

    void configChanged() {
        configDirty = true;
    }

    /** Sets NEEDS_RESET without the lock, for a device that holds its own; true for the first to do so. */
    boolean latchNeedsReset(String reason) {
        boolean first = needsResetReason.compareAndSet("", reason.isEmpty() ? "no reason given" : reason);
        if (first) {
            status.getAndUpdate(bits -> bits | DeviceStatus.NEEDS_RESET);
        }
        return first;
    }

    private static Features offer(VirtioDevice device, DmaSpace dma) {
        Features own = device.offered();
        for (int bit = FIRST_COMMON_BIT; bit <= LAST_COMMON_BIT; bit++) {
            if (own.has(bit) && bit != FeatureBit.NOTIFICATION_DATA && !isAdded(bit)) {
                throw new IllegalArgumentException("offered=" + own + " contains bit " + bit + ", which is not a device"
                        + " type's to offer (section 2.2); offer bits 0 to " + (FIRST_COMMON_BIT - 1) + " and from "
                        + (LAST_COMMON_BIT + 1) + " on");
            }
        }
        Features all = own.with(FeatureBit.VERSION_1).with(FeatureBit.INDIRECT_DESC)
                .with(FeatureBit.EVENT_IDX).with(FeatureBit.RING_RESET);
        return dma.translated() ? all.with(FeatureBit.ACCESS_PLATFORM) : all;
    }

    private static boolean isAdded(int bit) {
        return bit == FeatureBit.VERSION_1 || bit == FeatureBit.INDIRECT_DESC || bit == FeatureBit.EVENT_IDX
                || bit == FeatureBit.RING_RESET;
    }

    private static int word(Features features, long select) {
        return select >= 0 && select < Features.WORDS ? features.word((int) select) : 0;
    }

    private boolean exists(long queue) {
        return queue >= 0 && queue < queues.length;
    }

    private boolean inConfig(long offset, int width) {
        boolean natural = width == 1 || width == 2 || width == 4 || width == 8;
        return natural && offset >= 0 && offset <= info.configSize() - width;
    }

    /**
     * What decides over features and start needs the bits before it. ACKNOWLEDGE decides over nothing: section 3.1.1
     * has the driver set it first, asks nothing of the device, and drivers exist that leave it out.
     */
    private static boolean inOrder(int bits) {
        return needs(bits, DeviceStatus.FEATURES_OK, DeviceStatus.DRIVER)
                && needs(bits, DeviceStatus.DRIVER_OK, DeviceStatus.FEATURES_OK);
    }

    private static boolean needs(int bits, int bit, int before) {
        return (bits & bit) == 0 || (bits & before) != 0;
    }

    /**
     * Sets the bits that are new; FEATURES_OK, and with it DRIVER_OK, stay clear if the features cannot be accepted.
     * True if the device has started.
     */
    private boolean advance(int old, int wanted, boolean accepted) {
        int granted = accepted ? wanted : wanted & ~(DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK);
        if ((granted & ~old & DeviceStatus.FEATURES_OK) != 0) {
            device.negotiated(driverFeatures);
        }
        boolean starts = (granted & ~old & DeviceStatus.DRIVER_OK) != 0;
        try {
            if (starts) {
                start();
            }
        } finally {
            // Also when the start failed: beside DRIVER_OK, NEEDS_RESET tells the driver that it did.
            status.getAndUpdate(now -> (now & ~DRIVER_BITS) | granted);
        }
        return starts;
    }

    /**
     * Why features cannot be accepted, empty if they can. Section 6: a modern device needs VERSION_1, and one behind an
     * IOMMU may insist on ACCESS_PLATFORM.
     */
    private String refusal(Features accepted) {
        if (!accepted.within(offered)) {
            return "the driver accepted features that are not offered: " + accepted + " of " + offered;
        }
        if (!accepted.has(FeatureBit.VERSION_1)) {
            return "the driver did not accept VERSION_1 (bit " + FeatureBit.VERSION_1 + ")";
        }
        return !dma.translated() || accepted.has(FeatureBit.ACCESS_PLATFORM) ? ""
                : "the driver did not accept ACCESS_PLATFORM (bit " + FeatureBit.ACCESS_PLATFORM
                        + "), but the device is behind an IOMMU";
    }

    private void start() {
        signals.starting();
        DeviceContext fresh = new DeviceContext(this, signals, driverFeatures, queues.length);
        try {
            for (int i = 0; i < queues.length; i++) {
                if (queues[i].enabled()) {
                    openQueue(fresh, i);
                }
            }
            device.activate(fresh);
            context = fresh;
        } catch (RuntimeException | Error failure) {
            boolean ignored = latchNeedsReset("could not start: " + failure);
            FirstFailure.throwIt(FirstFailure.after(failure, () -> undoStart(fresh)));
        }
    }

    private void undoStart(DeviceContext fresh) {
        for (int i = 0; i < queues.length; i++) {
            closeQueue(fresh, i);
        }
        fresh.end();
        device.stop();
    }

    /** For what went wrong before there was an activation, or without one. */
    private void tellNeedsReset() {
        Throwable thrown = FirstFailure.after(null, signals::configInterrupt);
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> listener.needsReset(needsResetReason.get())));
    }

    private void openQueue(DeviceContext active, int index) {
        QueueSettings settings = queues[index].settings(active.features(), dma.translated(), polled);
        DmaHandle handle = dma.open("queue " + index + " of device type " + info.deviceType());
        try {
            active.place(index, rings.open(settings, handle));
        } catch (RuntimeException | Error failure) {
            // There is no queue yet whose close would close it.
            FirstFailure.throwIt(FirstFailure.after(failure, handle::close));
        }
    }

    /** What came out of the device, whose queue ends all the same. */
    private @Nullable Throwable stopQueue(@Nullable DeviceContext active, int index, boolean reset) {
        closeQueue(active, index);
        endings.beginQueue(active, index, reset);
        return FirstFailure.after(null, () -> device.queueStopped(index));
    }

    private void awaitQueue(long queue, long limitNanos, @Nullable DeviceContext active, @Nullable Throwable failed,
            String what) {
        Throwable thrown = failed;
        if (active != null && failed != null) {
            // Nobody knows what the device goes on with.
            thrown = FirstFailure.after(failed, () -> active.needsReset("queue " + queue + ": " + what + failed));
        }
        thrown = FirstFailure.after(thrown, () -> endings.closeShut(lock));
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> {
            boolean ignored = new EndingWait(listener).await(() -> finishQueue((int) queue), limitNanos);
        }));
    }

    private void finishQueue(int index, boolean reset) {
        queues[index].enabled(false);
        if (reset) {
            queues[index].reset();
        }
        signals.queueEnded(index);
    }

    /** True if the queue is not being stopped any more. */
    private boolean finishQueue(int index) {
        boolean finished;
        boolean over;
        Throwable thrown = null;
        lock.lock();
        try {
            boolean reset = endings.isReset(index);
            finished = endings.finishQueue(index);
            if (finished) {
                thrown = FirstFailure.after(null, () -> finishQueue(index, reset));
            }
            over = !endings.isEnding(index);
        } finally {
            lock.unlock();
        }
        FirstFailure.throwIt(finished ? FirstFailure.after(thrown, signals::settle) : null);
        return over;
    }

    private void closeQueue(@Nullable DeviceContext active, int index) {
        DeviceQueue open = active == null ? null : active.queue(index);
        if (open != null) {
            Objects.requireNonNull(active).place(index, null);
            endings.shut(open);
        }
    }
}
