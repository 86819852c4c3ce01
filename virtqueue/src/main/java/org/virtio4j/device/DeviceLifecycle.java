// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * The life of one device as every transport drives it (virtio 1.4, sections 2.1 to 2.6, 3.1): status, features, queues,
 * resets and configuration. A transport spells these calls as registers and adds nothing.
 *
 * <p>Any thread may call any method. All take the control lock but {@link #kick} and {@link #status}, which take none.
 * What a driver writes against the rules is ignored, and reading back shows it; nothing here throws because of it. An
 * illegal step of the status, one that clears a bit or skips what must come before, leaves the status as it is.
 */
public final class DeviceLifecycle {

    private static final int DRIVER_BITS = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK
            | DeviceStatus.DRIVER_OK | DeviceStatus.FAILED;

    /** Makes the device's side of a ring; the layout follows from what was negotiated. */
    interface RingFactory {
        DeviceQueue open(QueueSettings settings, DmaHandle dma);
    }

    private final VirtioDevice device;
    private final DeviceInfo info;
    private final DmaSpace dma;
    private final TransportSignals signals;
    private final RingFactory rings;
    private final Features offered;
    private final QueueRegisters[] queues;

    /** For each queue how many threads are resetting it; not guarded, so that it can be seen meanwhile. */
    private final AtomicIntegerArray resetting;
    private final ReentrantLock lock = new ReentrantLock();

    /** Written under the lock, but for NEEDS_RESET, which a device at work sets; so changes are atomic. */
    private final AtomicInteger status = new AtomicInteger();
    private volatile @Nullable DeviceContext context;
    private volatile String needsResetReason = "";
    private volatile boolean configDirty;

    private Features driverFeatures = Features.NONE;
    private int configGeneration;

    /** What the device said when its configuration was read last. */
    private int configVersion;

    /**
     * Puts a device behind a transport.
     *
     * @param device  the device; it belongs to this life cycle alone
     * @param dma     what its rings and buffers are reached through
     * @param signals the transport's way to the guest
     */
    public DeviceLifecycle(VirtioDevice device, DmaSpace dma, TransportSignals signals) {
        this(device, dma, signals, SplitQueue::new);
    }

    DeviceLifecycle(VirtioDevice device, DmaSpace dma, TransportSignals signals, RingFactory rings) {
        this.device = device;
        this.info = device.info();
        this.dma = dma;
        this.signals = signals;
        this.rings = rings;
        this.offered = offer(device, dma);
        this.configVersion = device.configVersion();
        this.queues = info.queueSizes().stream().map(QueueRegisters::new).toArray(QueueRegisters[]::new);
        this.resetting = new AtomicIntegerArray(queues.length);
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
     * The device status.
     *
     * @return a sum of {@link DeviceStatus} bits
     */
    public int status() {
        return status.get();
    }

    /**
     * Writes the device status. 0 resets the device, and the reset is complete when this returns.
     *
     * @param value what the driver wrote; bits that are not the driver's to set are ignored
     */
    public void writeStatus(int value) {
        if (value == 0) {
            reset(ResetKind.DEVICE);
            return;
        }
        DeviceContext started = null;
        lock.lock();
        try {
            int old = status.get() & DRIVER_BITS;
            int wanted = value & DRIVER_BITS;
            if ((old & ~wanted) == 0 && inOrder(wanted)) {
                started = advance(old, wanted);
            }
        } finally {
            lock.unlock();
        }
        if (started != null) {
            kickAll();
        }
    }

    /**
     * Resets the device. When this returns, nothing of before reaches guest memory any more, and no interrupt of before
     * is sent.
     *
     * @param kind how much is taken back
     */
    public void reset(ResetKind kind) {
        lock.lock();
        try {
            DeviceContext ended = context;
            context = null;
            for (int i = 0; i < queues.length; i++) {
                closeQueue(ended, i);
                queues[i].reset();
            }
            device.reset(kind);
            if (ended != null) {
                ended.end();
            }
            driverFeatures = Features.NONE;
            needsResetReason = "";
            signals.deviceReset();
            status.set(0);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Why {@code DEVICE_NEEDS_RESET} is set.
     *
     * @return the first reason since the last reset; empty if there is none
     */
    public String needsResetReason() {
        return needsResetReason;
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
            boolean open = (status.get() & DeviceStatus.FEATURES_OK) == 0;
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
     */
    public void writeQueueSize(long queue, long size) {
        lock.lock();
        try {
            if (exists(queue)) {
                queues[(int) queue].writeSize(size);
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
     * Enables a queue with the size and addresses written so far. A queue whose areas are misaligned or wrap around
     * stays disabled, and the device needs a reset.
     *
     * @param queue what the driver selected; ignored when there is no such queue or it is enabled
     */
    public void enableQueue(long queue) {
        DeviceContext active;
        lock.lock();
        try {
            active = context;
            if (!exists(queue) || queues[(int) queue].enabled()) {
                return;
            }
            if (queues[(int) queue].valid()) {
                queues[(int) queue].enabled(true);
                if (active != null) {
                    openQueue(active, (int) queue);
                }
                return;
            }
            if (active == null) {
                latchNeedsReset(misplaced(queue));
            }
        } finally {
            lock.unlock();
        }
        if (active != null) {
            // Through the activation, so that a reset that comes between keeps it from being told of the next one.
            active.needsReset(misplaced(queue));
        }
    }

    /**
     * Disables a queue, as only virtio-mmio can. When this returns, the ring and its buffers are not touched any more.
     *
     * @param queue what the driver selected
     */
    public void disableQueue(long queue) {
        lock.lock();
        try {
            if (exists(queue)) {
                stopQueue((int) queue);
                queues[(int) queue].enabled(false);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Resets one queue (virtio 1.4, section 2.6.1). When this returns, the ring and its buffers are not touched any
     * more and all its state is back to the start. Ignored unless {@code VIRTIO_F_RING_RESET} was negotiated.
     *
     * @param queue what the driver selected
     * @return whether the queue was reset
     */
    public boolean resetQueue(long queue) {
        if (!exists(queue)) {
            return false;
        }
        resetting.incrementAndGet((int) queue);
        lock.lock();
        try {
            boolean settled = (status.get() & DeviceStatus.FEATURES_OK) != 0;
            boolean can = settled && driverFeatures.has(FeatureBit.RING_RESET);
            if (can) {
                stopQueue((int) queue);
                queues[(int) queue].reset();
            }
            return can;
        } finally {
            lock.unlock();
            resetting.decrementAndGet((int) queue);
        }
    }

    /**
     * Whether a queue is being reset just now, by another thread. Takes no lock.
     *
     * @param queue what the driver selected
     * @return true while {@link #resetQueue} has not returned
     */
    public boolean queueResetting(long queue) {
        return exists(queue) && resetting.get((int) queue) != 0;
    }

    /**
     * Says that buffers may be available. Takes no lock; served before it returns, or by the thread that is serving
     * already. Ignored before {@code DRIVER_OK} and for a queue that does not exist or is not enabled.
     *
     * @param queue what the driver wrote
     */
    public void kick(long queue) {
        if (context != null && exists(queue) && queues[(int) queue].enabled()) {
            device.kicked((int) queue);
        }
    }

    /**
     * Kicks every queue: at {@code DRIVER_OK}, since kicks before it were ignored, and for a transport that has kept
     * the device from guest memory for a while. Takes no lock.
     */
    public void kickAll() {
        for (int i = 0; i < queues.length; i++) {
            kick(i);
        }
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
        lock.lock();
        try {
            if (!inConfig(offset, width)) {
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
            lock.unlock();
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
            if (inConfig(offset, width)) {
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
        lock.lock();
        try {
            return configGeneration;
        } finally {
            lock.unlock();
        }
    }

    void configChanged() {
        configDirty = true;
    }

    /** Sets NEEDS_RESET without the lock, for a device that holds its own; true for the first to do so. */
    boolean latchNeedsReset(String reason) {
        int old = status.getAndUpdate(bits -> bits | DeviceStatus.NEEDS_RESET);
        boolean first = (old & DeviceStatus.NEEDS_RESET) == 0;
        if (first) {
            needsResetReason = reason;
        }
        return first;
    }

    private static Features offer(VirtioDevice device, DmaSpace dma) {
        Features all = device.offered().with(FeatureBit.VERSION_1).with(FeatureBit.INDIRECT_DESC)
                .with(FeatureBit.EVENT_IDX).with(FeatureBit.RING_RESET);
        return dma.translated() ? all.with(FeatureBit.ACCESS_PLATFORM) : all;
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

    /** Each bit needs the ones before it (section 3.1.1); FAILED may come at any time. */
    private static boolean inOrder(int bits) {
        return needs(bits, DeviceStatus.DRIVER, DeviceStatus.ACKNOWLEDGE)
                && needs(bits, DeviceStatus.FEATURES_OK, DeviceStatus.DRIVER)
                && needs(bits, DeviceStatus.DRIVER_OK, DeviceStatus.FEATURES_OK);
    }

    private static boolean needs(int bits, int bit, int before) {
        return (bits & bit) == 0 || (bits & before) != 0;
    }

    /**
     * Sets the bits that are new; FEATURES_OK, and with it DRIVER_OK, stay clear if the features cannot be accepted.
     */
    private @Nullable DeviceContext advance(int old, int wanted) {
        int granted = wanted;
        boolean asks = (wanted & ~old & DeviceStatus.FEATURES_OK) != 0;
        if (asks && !acceptable(driverFeatures)) {
            granted &= ~(DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK);
        }
        if ((granted & ~old & DeviceStatus.FEATURES_OK) != 0) {
            device.negotiated(driverFeatures);
        }
        DeviceContext started = null;
        if ((granted & ~old & DeviceStatus.DRIVER_OK) != 0) {
            started = start();
        }
        int bits = granted;
        status.getAndUpdate(now -> (now & ~DRIVER_BITS) | bits);
        return started;
    }

    /** Section 6: a modern device needs VERSION_1, and one behind an IOMMU may insist on ACCESS_PLATFORM. */
    private boolean acceptable(Features accepted) {
        return accepted.within(offered)
                && accepted.has(FeatureBit.VERSION_1)
                && (!dma.translated() || accepted.has(FeatureBit.ACCESS_PLATFORM));
    }

    private DeviceContext start() {
        DeviceContext fresh = new DeviceContext(this, signals, driverFeatures, queues.length);
        for (int i = 0; i < queues.length; i++) {
            if (queues[i].enabled()) {
                openQueue(fresh, i);
            }
        }
        device.activate(fresh);
        context = fresh;
        return fresh;
    }

    private void openQueue(DeviceContext active, int index) {
        DmaHandle handle = dma.open("queue " + index + " of device type " + info.deviceType());
        active.place(index, rings.open(queues[index].settings(active.features(), dma.translated()), handle));
    }

    private void stopQueue(int index) {
        closeQueue(context, index);
        device.queueStopped(index);
    }

    private void closeQueue(@Nullable DeviceContext active, int index) {
        DeviceQueue open = active == null ? null : active.queue(index);
        if (open != null) {
            Objects.requireNonNull(active).place(index, null);
            open.close();
            active.awaitSignals();
        }
    }

    private static String misplaced(long queue) {
        return "queue " + queue + ": enabled with misaligned or impossible addresses";
    }
}
