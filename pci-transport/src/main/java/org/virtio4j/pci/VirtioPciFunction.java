// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.DeviceLifecycle;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.TransportSignals;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.vmm.DmaGate;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciCommand;

/**
 * A device as a modern PCI function (virtio 1.4, section 4.1), with a configuration space and two 64-bit memory BARs:
 * BAR 0 holds the MSI-X table and its pending bits, BAR 4 the structures of virtio.
 *
 * <p>The embedder hangs the function on a bus of his own, or on a {@link PciBus}. From his exit handler he calls {@link
 * #readConfig} and {@link #writeConfig} for accesses of configuration space, and {@link #readBar} and {@link #writeBar}
 * for those that end in a window which the guest has placed at {@link #barAddress}, on whatever thread that is; several
 * virtual CPUs may do so at once. Nothing a guest does throws. A write to a notification address takes no lock and
 * returns when the device has looked at the queue, or when another thread that is serving it has been told to look
 * again; a write that resets the device or the function returns when the reset is complete.
 *
 * <p>The command register counts: without {@code MEMORY_SPACE} the BARs read all ones and ignore writes; without {@code
 * BUS_MASTER} the device reaches no memory and sends no message, and what it has been kicked for waits. After power-on
 * and after a reset of the function both are off, and a guest's driver turns them on. What was being served when bus
 * mastering was taken away may be lost to the driver until it resets the device.
 *
 * <p>Interrupts are called on the thread that caused them, under no lock of this library.
 */
public final class VirtioPciFunction {

    /** What {@link #barAddress} says of a BAR that leads nowhere. */
    public static final long NOT_MAPPED = -1;

    private final DeviceLifecycle lifecycle;
    private final Bars bars;
    private final DmaGate gate;
    private final VectorTable table;
    private final FunctionInterrupts interrupts;
    private final VirtioStructures structures;

    /** Guards {@link #space} and what follows from it. Resets, kicks and interrupts come after it was let go. */
    private final ReentrantLock lock = new ReentrantLock();
    private final FunctionSpace space;

    private volatile boolean memorySpace;

    private VirtioPciFunction(VirtioDevice device, DmaSpace dma, PciInterrupts routes, PciOptions options) {
        DeviceInfo info = device.info();
        bars = new Bars(info.queueCount(), info.configSize(), options.vectorsFor(info.queueCount()));
        gate = new DmaGate(dma.memory());
        DmaSpace gated = dma.behind(gate);
        table = new VectorTable(bars, gated.messages("messages of device type " + info.deviceType()), gate);
        VectorRoute vectors = routes.vectors().isPresent() ? new SinkVectors(bars, routes.vectors().get()) : table;
        interrupts = new FunctionInterrupts(info.queueCount(), vectors, routes.pin().orElse(level -> { }));
        lifecycle = new DeviceLifecycle(device, gated, new Signals());
        structures = new VirtioStructures(lifecycle, interrupts);
        space = new FunctionSpace(info, options, bars, routes.pin().isPresent());
    }

    /**
     * Makes a function with {@link PciOptions#DEFAULT}.
     *
     * @param device     the device; it belongs to this function alone
     * @param dma        what the device's rings and buffers are reached through, and its interrupt messages sent
     * @param interrupts where interrupts go
     * @return a function as it is after power-on
     * @throws IllegalArgumentException if the device has more queues or configuration than a function can show, or
     *         offers {@code VIRTIO_F_ADMIN_VQ} or {@code VIRTIO_F_SR_IOV}
     */
    public static VirtioPciFunction of(VirtioDevice device, DmaSpace dma, PciInterrupts interrupts) {
        return of(device, dma, interrupts, PciOptions.DEFAULT);
    }

    /**
     * Makes a function.
     *
     * @param device     the device; it belongs to this function alone
     * @param dma        what the device's rings and buffers are reached through, and its interrupt messages sent
     * @param interrupts where interrupts go
     * @param options    what else there is to choose
     * @return a function as it is after power-on
     * @throws IllegalArgumentException as {@link #of(VirtioDevice, DmaSpace, PciInterrupts)}
     */
    public static VirtioPciFunction of(VirtioDevice device, DmaSpace dma, PciInterrupts interrupts,
            PciOptions options) {
        if (device.offered().has(FeatureBit.ADMIN_VQ) || device.offered().has(FeatureBit.SR_IOV)) {
            throw new IllegalArgumentException("offered=" + device.offered()
                    + " contains ADMIN_VQ or SR_IOV, for which this function has no registers; offer neither");
        }
        return new VirtioPciFunction(device, dma, interrupts, options);
    }

    // Configuration space

    /**
     * Reads configuration space. Any thread.
     *
     * @param offset bytes from its start; above 255 there is nothing
     * @param width  1, 2 or 4 bytes, aligned
     * @return the value, zero-extended; 0 for what is not there, or not accessed so
     */
    public long readConfig(long offset, int width) {
        if (!space.isAccess(offset, width)) {
            return 0;
        }
        if (space.touchesWindowData(offset, width)) {
            readThroughWindow();
        }
        lock.lock();
        try {
            space.interruptStatus(interrupts.pending());
            return Integer.toUnsignedLong(space.read(offset, width));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes configuration space. Any thread but one inside a section of the device's DMA, for this may reset the
     * function or take bus mastering away.
     *
     * @param offset bytes from its start
     * @param width  1, 2 or 4 bytes, aligned
     * @param value  its low {@code width} bytes count; ignored where that cannot be written
     */
    public void writeConfig(long offset, int width, long value) {
        if (!space.isAccess(offset, width)) {
            return;
        }
        boolean reset;
        boolean freed;
        lock.lock();
        try {
            space.write(offset, width, (int) value);
            reset = space.takeFunctionReset();
            freed = apply();
        } finally {
            lock.unlock();
        }
        if (reset) {
            reset(ResetKind.FUNCTION);
            return;
        }
        interrupts.settle();
        if (freed) {
            lifecycle.kickAll();
        }
        if (space.touchesWindowData(offset, width)) {
            writeThroughWindow();
        }
    }

    // BARs

    /**
     * How large a BAR is.
     *
     * @param bar its number
     * @return bytes, a power of two; 0 where there is no BAR, or only the high half of one
     */
    public long barSize(int bar) {
        return bars.size(bar);
    }

    /**
     * Where the guest has placed a BAR. To be asked again after each {@link #writeConfig}, by an embedder who routes
     * accesses himself. Any thread.
     *
     * @param bar its number
     * @return guest-physical address of its first byte, {@link #NOT_MAPPED} while memory space is disabled or the BAR
     *         was not set
     */
    public long barAddress(int bar) {
        lock.lock();
        try {
            return memorySpace ? space.barAddress(bar) : NOT_MAPPED;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Reads from a BAR. Any thread.
     *
     * @param bar    its number
     * @param offset bytes from its start
     * @param width  bytes
     * @return the value, zero-extended; all ones while memory space is disabled, 0 for what cannot be read there, or
     *         not with that width
     */
    public long readBar(int bar, long offset, int width) {
        if (!memorySpace) {
            return PciBus.allOnes(width);
        }
        return switch (bar) {
            case Bars.VIRTIO -> structures.read(offset, width);
            case Bars.MSIX -> table.read(offset, width);
            default -> 0;
        };
    }

    /**
     * Writes to a BAR. Any thread; one inside a section of the device's DMA must not reset the device.
     *
     * @param bar    its number
     * @param offset bytes from its start
     * @param width  bytes
     * @param value  its low {@code width} bytes count; ignored where that cannot be written
     */
    public void writeBar(int bar, long offset, int width, long value) {
        if (!memorySpace) {
            return;
        }
        if (bar == Bars.VIRTIO) {
            structures.write(offset, width, value);
        } else if (bar == Bars.MSIX) {
            table.write(offset, width, value);
        }
    }

    // Around it

    /**
     * How many MSI-X vectors there are.
     *
     * @return 2 to 2,048
     */
    public int vectorCount() {
        return bars.vectors();
    }

    /**
     * Messages that led nowhere, because there was no doorbell at their address or translation refused it.
     *
     * @return a count that only grows
     */
    public long lostMessages() {
        return table.lost();
    }

    /**
     * Kicks every queue, as an embedder does who has {@linkplain org.virtio4j.vmm.GuestMemory#settle exchanged memory}:
     * what the driver notified of meanwhile may not have been reachable. Any thread but one inside a section of the
     * device's DMA.
     */
    public void memoryChanged() {
        lifecycle.kickAll();
    }

    /**
     * Why {@code DEVICE_NEEDS_RESET} is set. Any thread.
     *
     * @return the first reason since the last reset; empty if there is none
     */
    public String needsResetReason() {
        return lifecycle.needsResetReason();
    }

    /**
     * Resets the device and, but for {@link ResetKind#DEVICE}, the function with its configuration space. Any thread
     * but one inside a section of the device's DMA.
     *
     * @param kind how much is taken back
     */
    public void reset(ResetKind kind) {
        lifecycle.reset(kind);
        if (kind != ResetKind.DEVICE) {
            lock.lock();
            try {
                space.reset();
                table.reset();
                apply();
            } finally {
                lock.unlock();
            }
        }
        interrupts.awaitForgotten();
    }

    /** Lets what the registers say come true; says whether the device may do DMA from now on and could not before. */
    private boolean apply() {
        int command = space.command();
        int control = space.messageControl();
        boolean messages = (control & MsixCapability.ENABLE) != 0;
        memorySpace = (command & PciCommand.MEMORY_SPACE) != 0;
        interrupts.route(messages, (command & PciCommand.INTX_DISABLE) != 0);
        interrupts.sleep(space.asleep());
        table.control(messages, (control & MsixCapability.FUNCTION_MASK) != 0);
        boolean busMaster = (command & PciCommand.BUS_MASTER) != 0;
        if (busMaster == gate.isOpen()) {
            return false;
        }
        if (busMaster) {
            gate.open();
        } else {
            gate.close();
        }
        return busMaster;
    }

    // Section 4.1.4.9: a window on the other structures, for guests that cannot map BARs

    private void readThroughWindow() {
        int bar;
        long offset;
        int length;
        lock.lock();
        try {
            bar = space.windowBar();
            offset = space.windowOffset();
            length = space.windowLength();
        } finally {
            lock.unlock();
        }
        boolean valid = isWindow(bar, offset, length);
        long value = valid ? structures.read(offset, length) : 0;
        lock.lock();
        try {
            space.windowData(valid ? length : Integer.BYTES, (int) value);
        } finally {
            lock.unlock();
        }
    }

    private void writeThroughWindow() {
        int bar;
        long offset;
        int length;
        int data;
        lock.lock();
        try {
            bar = space.windowBar();
            offset = space.windowOffset();
            length = space.windowLength();
            data = space.windowData();
        } finally {
            lock.unlock();
        }
        if (isWindow(bar, offset, length)) {
            structures.write(offset, length, data);
        }
    }

    /** A driver may use it for aligned accesses inside a structure (section 4.1.4.9.2); others do nothing. */
    private boolean isWindow(int bar, long offset, int length) {
        boolean width = length == Byte.BYTES || length == Short.BYTES || length == Integer.BYTES;
        return bar == Bars.VIRTIO && width && offset % length == 0 && bars.inStructure(offset, length);
    }

    private final class Signals implements TransportSignals {

        @Override
        public void queueInterrupt(int queue) {
            interrupts.queueUsed(queue);
        }

        @Override
        public void configInterrupt() {
            interrupts.configChanged();
        }

        /** The pin follows when the reset has let go of the life cycle's lock: the embedder is not called under it. */
        @Override
        public void deviceReset() {
            interrupts.forget();
            structures.forgetSelectors();
        }
    }
}
