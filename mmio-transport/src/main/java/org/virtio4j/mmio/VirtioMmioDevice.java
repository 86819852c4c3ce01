// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.mmio;

import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.device.transport.DeviceLifecycle;
import org.virtio4j.device.transport.InterruptStatus;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.device.transport.QueueKicks;
import org.virtio4j.device.transport.QueueSet;
import org.virtio4j.device.transport.TransportSignals;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.MmioRegister;

/**
 * A device behind the register window of virtio-mmio, register version 2 (virtio 1.4, section 4.2.2), without shared
 * memory regions.
 *
 * <p>The embedder calls {@link #read} and {@link #write} from its exit handler, on any thread. Several virtual CPUs may
 * call at once. Nothing a guest does throws. A write to {@code QueueNotify} takes no lock and returns when the device
 * has looked at the queue, or when another thread that is serving it has been told to look again. A write of 0 to
 * {@code Status} returns when the reset is complete, and other accesses do not wait for it.
 *
 * <p>Registers below {@link MmioRegister#CONFIG} answer to aligned accesses of 4 bytes alone; any other reads 0 and
 * writes nothing, and so do accesses against a register's direction. The configuration space takes 1, 2, 4 or 8 bytes
 * anywhere inside it. Each selector is one value of the device, as the specification says. A guest whose CPUs set up
 * queues at the same time must take turns; if it does not, it harms only itself.
 *
 * <p>The interrupt line is called on the thread that caused the change, under no lock of this library.
 */
public final class VirtioMmioDevice implements RegisterHandler, AutoCloseable {

    /** Bytes of the usual window: the registers and 256 bytes of configuration. */
    public static final long WINDOW_SIZE = 0x200;

    /** What {@code VendorID} reads: the four characters {@code vi4j}, first character in the lowest byte. */
    public static final int VENDOR_ID = 0x6a346976;

    private static final int REGISTER_WIDTH = 4;
    private static final long QUEUE_INDEX_MASK = 0xffff;

    /** Length and base of a region that does not exist, in both halves. */
    private static final int NO_SHARED_MEMORY = -1;

    private final DeviceLifecycle lifecycle;
    private final QueueSet queues;
    private final QueueKicks kicks;
    private final InterruptStatus interrupts;

    private volatile int deviceFeaturesSel;
    private volatile int driverFeaturesSel;
    private volatile int queueSel;

    /** Whether {@code QueueNotify} takes more than an index; kept here so that a kick asks nobody. */
    private volatile boolean notificationData;

    private VirtioMmioDevice(VirtioDevice device, DmaSpace dma, InterruptLine line) {
        interrupts = new InterruptStatus(line, () -> true, device.info().queueCount(),
                MmioRegister.INTERRUPT_USED_BUFFER);
        // The write of a reset returns when it is complete: a driver of this register version need not look.
        lifecycle = new DeviceLifecycle(device, dma, new Signals(), Long.MAX_VALUE);
        queues = lifecycle.queues();
        kicks = lifecycle.kicks();
        lifecycle.claim();
    }

    /**
     * Puts a device behind a window of its own, of {@link #WINDOW_SIZE} bytes.
     *
     * @param device the device; it belongs to this window alone, until {@link #close}
     * @param dma    what the device's rings and buffers are reached through
     * @param line   the interrupt input, high while an event is not acknowledged; low at the start, and not set so
     * @return the window's registers, to be mapped with {@link #WINDOW_SIZE} bytes
     * @throws IllegalArgumentException if the configuration does not fit into the window, or the device offers bits
     *         that are not a device type's to offer (section 2.2)
     * @throws IllegalStateException if the device has another window or function
     */
    public static VirtioMmioDevice of(VirtioDevice device, DmaSpace dma, InterruptLine line) {
        return of(device, dma, line, WINDOW_SIZE);
    }

    /**
     * Puts a device behind a larger window of its own, for one with more configuration. The guest learns the size where
     * it learns the address.
     *
     * @param device     the device; it belongs to this window alone, until {@link #close}
     * @param dma        what the device's rings and buffers are reached through
     * @param line       the interrupt input, high while an event is not acknowledged; low at the start, and not set so
     * @param windowSize bytes to be mapped
     * @return the window's registers
     * @throws IllegalArgumentException if the configuration does not fit into the window, or the device offers bits
     *         that are not a device type's to offer (section 2.2)
     * @throws IllegalStateException if the device has another window or function
     */
    public static VirtioMmioDevice of(VirtioDevice device, DmaSpace dma, InterruptLine line, long windowSize) {
        int configSize = device.info().configSize();
        if (configSize > windowSize - MmioRegister.CONFIG) {
            throw new IllegalArgumentException("configSize=" + configSize + ", but a window of " + windowSize
                    + " bytes has room for " + Math.max(0, windowSize - MmioRegister.CONFIG)
                    + "; map a larger one, and give its size");
        }
        return new VirtioMmioDevice(device, dma, line);
    }

    /**
     * Reads a register or the device configuration. Any thread.
     *
     * @param offset bytes from the start of the window
     * @param width  bytes
     * @return the value, zero-extended; 0 for what cannot be read there, or not with that width
     */
    @Override
    public long read(long offset, int width) {
        if (offset >= MmioRegister.CONFIG) {
            return lifecycle.config().read(offset - MmioRegister.CONFIG, width);
        }
        return isRegister(offset, width) ? Integer.toUnsignedLong(readRegister((int) offset)) : 0;
    }

    /**
     * Writes a register or the device configuration. Any thread.
     *
     * @param offset bytes from the start of the window
     * @param width  bytes
     * @param value  its low {@code width} bytes count; ignored where that cannot be written
     */
    @Override
    public void write(long offset, int width, long value) {
        if (offset >= MmioRegister.CONFIG) {
            lifecycle.config().write(offset - MmioRegister.CONFIG, width, value);
        } else if (isRegister(offset, width)) {
            writeRegister((int) offset, (int) value);
        }
    }

    /**
     * Sets the listener that is told why the device stands still. At set-up.
     *
     * @param listener told from now on, instead of the one before
     */
    public void listener(DeviceListener listener) {
        lifecycle.listener(listener);
    }

    /**
     * Resets the device for the embedder, for example when it resets the machine or unplugs the device. Returns when
     * the reset is complete, however long the device is at work elsewhere. No other access waits for that. Any thread
     * but one inside a section of the device's DMA.
     *
     * @param kind how much is taken back
     */
    public void reset(ResetKind kind) {
        boolean ignored = resetBy(kind);
    }

    /**
     * Ends the window: resets the device, which then holds nothing in the memory and the IOMMU that it was made with.
     * A guest that still reaches the registers cannot start the device. The device is the embedder's to close, after
     * this, or to give to another window or function. Any thread but one inside a section of the device's DMA; closing
     * twice does nothing.
     */
    @Override
    public void close() {
        lifecycle.end();
        reset(ResetKind.FUNCTION);
    }

    /**
     * Why the device shows {@code DEVICE_NEEDS_RESET}: what the guest or the device did, for the embedder to report.
     * Any thread.
     *
     * @return the first reason since the last reset; empty if there is none
     */
    public String needsResetReason() {
        return lifecycle.needsResetReason();
    }

    /**
     * Looks at every queue and serves what its driver has made available without a notification; the line is set on
     * this thread. For a device that is {@linkplain VirtioDevice#isPolled polled}, a thread of the embedder calls this
     * again and again as long as the window lives, and idles as it likes in between. A look that finds nothing costs a
     * fraction of a microsecond. It allocates nothing. Any thread but one inside a section of the device's DMA, several
     * at once, and beside notifications, resets and {@link #close}.
     *
     * @return how many buffers were given back, 0 if there were none; of a device that does not count, 0 in any case
     */
    public int poll() {
        return kicks.poll();
    }

    /**
     * Notifies the device of every queue, after the embedder has {@linkplain org.virtio4j.vmm.GuestMemory#endExchange
     * exchanged memory}: buffers that the driver notified of meanwhile may not have been reachable. Any thread but one
     * inside a section of the device's DMA.
     */
    public void memoryChanged() {
        kicks.kickAll();
    }

    /** Whatever comes out of the reset, the line goes down. */
    private boolean resetBy(ResetKind kind) {
        boolean[] complete = new boolean[1];
        Throwable thrown = FirstFailure.after(null, () -> complete[0] = lifecycle.reset(kind));
        FirstFailure.throwIt(FirstFailure.after(thrown, interrupts::updateLine));
        return complete[0];
    }

    private int readRegister(int offset) {
        return switch (offset) {
            case (int) MmioRegister.MAGIC_VALUE -> MmioRegister.MAGIC;
            case (int) MmioRegister.VERSION -> MmioRegister.VERSION_2;
            case (int) MmioRegister.DEVICE_ID -> lifecycle.info().deviceType();
            case (int) MmioRegister.VENDOR_ID -> VENDOR_ID;
            case (int) MmioRegister.DEVICE_FEATURES ->
                    lifecycle.features().offered(Integer.toUnsignedLong(deviceFeaturesSel));
            case (int) MmioRegister.QUEUE_SIZE_MAX -> queues.sizeMax(selectedQueue());
            case (int) MmioRegister.QUEUE_READY -> queues.isEnabled(selectedQueue()) ? 1 : 0;
            case (int) MmioRegister.INTERRUPT_STATUS -> interrupts.bits();
            case (int) MmioRegister.STATUS -> lifecycle.status(interrupts::updateLine);
            case (int) MmioRegister.SHM_LEN_LOW, (int) MmioRegister.SHM_LEN_HIGH,
                    (int) MmioRegister.SHM_BASE_LOW, (int) MmioRegister.SHM_BASE_HIGH -> NO_SHARED_MEMORY;
            case (int) MmioRegister.QUEUE_RESET -> queues.isResetting(selectedQueue()) ? 1 : 0;
            case (int) MmioRegister.CONFIG_GENERATION -> lifecycle.config().configGeneration();
            default -> 0;
        };
    }

    private void writeRegister(int offset, int value) {
        switch (offset) {
            case (int) MmioRegister.DEVICE_FEATURES_SEL -> deviceFeaturesSel = value;
            case (int) MmioRegister.DRIVER_FEATURES ->
                    lifecycle.features().accept(Integer.toUnsignedLong(driverFeaturesSel), value);
            case (int) MmioRegister.DRIVER_FEATURES_SEL -> driverFeaturesSel = value;
            case (int) MmioRegister.QUEUE_SEL -> queueSel = value;
            case (int) MmioRegister.QUEUE_SIZE ->
                    queues.writeSize(selectedQueue(), Integer.toUnsignedLong(value), false);
            case (int) MmioRegister.QUEUE_READY -> writeQueueReady(value);
            case (int) MmioRegister.QUEUE_NOTIFY -> notifyQueue(Integer.toUnsignedLong(value));
            case (int) MmioRegister.INTERRUPT_ACK -> interrupts.acknowledge(value);
            case (int) MmioRegister.STATUS -> writeStatus(value);
            case (int) MmioRegister.QUEUE_DESC_LOW -> writeAddressLow(QueueArea.DESCRIPTOR, value);
            case (int) MmioRegister.QUEUE_DESC_HIGH -> writeAddressHigh(QueueArea.DESCRIPTOR, value);
            case (int) MmioRegister.QUEUE_DRIVER_LOW -> writeAddressLow(QueueArea.DRIVER, value);
            case (int) MmioRegister.QUEUE_DRIVER_HIGH -> writeAddressHigh(QueueArea.DRIVER, value);
            case (int) MmioRegister.QUEUE_DEVICE_LOW -> writeAddressLow(QueueArea.DEVICE, value);
            case (int) MmioRegister.QUEUE_DEVICE_HIGH -> writeAddressHigh(QueueArea.DEVICE, value);
            case (int) MmioRegister.QUEUE_RESET -> writeQueueReset(value);
            default -> {
                // SHMSel has nothing to select, and the rest is read-only or not there.
            }
        }
    }

    private void notifyQueue(long value) {
        boolean plainIndex = value <= QUEUE_INDEX_MASK || !notificationData;
        kicks.kick(plainIndex ? value : value & QUEUE_INDEX_MASK);
    }

    private void writeStatus(int value) {
        if (value == 0) {
            boolean ignored = resetBy(ResetKind.DEVICE);
        } else {
            lifecycle.writeStatus(value);
            int accepted = lifecycle.features().accepted(FeatureBit.NOTIFICATION_DATA / Integer.SIZE);
            notificationData = ((accepted >>> (FeatureBit.NOTIFICATION_DATA % Integer.SIZE)) & 1) != 0;
        }
    }

    /** Values other than 0 and 1 are not defined, so they change nothing. */
    private void writeQueueReady(int value) {
        if (value == 1) {
            queues.enable(selectedQueue());
        } else if (value == 0) {
            queues.disable(selectedQueue());
        }
    }

    private void writeQueueReset(int value) {
        if (value == 1) {
            queues.reset(selectedQueue());
        }
    }

    private void writeAddressLow(QueueArea area, int bits) {
        queues.writeAddressLow(selectedQueue(), area, bits);
    }

    private void writeAddressHigh(QueueArea area, int bits) {
        queues.writeAddressHigh(selectedQueue(), area, bits);
    }

    private long selectedQueue() {
        return Integer.toUnsignedLong(queueSel);
    }

    private static boolean isRegister(long offset, int width) {
        return width == REGISTER_WIDTH && offset >= 0 && offset % REGISTER_WIDTH == 0;
    }

    private final class Signals implements TransportSignals {

        @Override
        public void queueInterrupt(int queue) {
            interrupts.raiseUsed(queue);
        }

        @Override
        public void queueEnded(int queue) {
            interrupts.withdrawQueue(queue);
        }

        @Override
        public void updateLine() {
            interrupts.updateLineIfMoved();
        }

        @Override
        public void configInterrupt() {
            interrupts.raise(MmioRegister.INTERRUPT_CONFIG);
        }

        /** The line follows when the reset has let go of the life cycle's lock: the embedder is not called under it. */
        @Override
        public void deviceReset() {
            interrupts.withdrawAll();
            deviceFeaturesSel = 0;
            driverFeaturesSel = 0;
            queueSel = 0;
            notificationData = false;
        }
    }
}
