// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.DeviceLifecycle;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.TransportSignals;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.vmm.DmaGate;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.MessageSender;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciCommand;
import org.virtio4j.wire.pci.PciHeader;

/**
 * A device as a modern PCI function (virtio 1.4, section 4.1), with a configuration space of 4,096 bytes and two memory
 * BARs: BAR 1 with 32 bits holds the MSI-X table and its pending bits, BAR 4 with 64 bits the structures of virtio. An
 * embedder who walks BARs 0 to 5 by {@link #barSize} need not know.
 *
 * <p>The embedder hangs the function on a bus of his own, or on a {@link PciBus}. From his exit handler he calls {@link
 * #readConfig} and {@link #writeConfig} for accesses of configuration space, and {@link #readBar} and {@link #writeBar}
 * for those that end in a window which the guest has placed at {@link #barAddress}, on whatever thread that is; several
 * virtual CPUs may do so at once. Nothing a guest does throws. A write to a notification address takes no lock and
 * returns when the device has looked at the queue, or when another thread that is serving it has been told to look
 * again. A write that resets the device, a queue or the function stops it at once and waits up to a second for what the
 * device is doing elsewhere, in a file, say; until the reset is complete, {@code device_status} and {@code queue_reset}
 * do not read as 0, and other accesses go on (section 4.1.4.3.1).
 *
 * <p>The command register counts: without {@code MEMORY_SPACE} the BARs read all ones and ignore writes; without {@code
 * BUS_MASTER} the device reaches no memory and sends no message. After power-on and after a reset of the function both
 * are off, and a guest's driver turns them on. <b>When bus mastering was taken away</b>, what the device has at work is
 * dropped, and notifications are ignored. When it is given back, the device touches no byte of memory before the next
 * notification, or before {@code DRIVER_OK}: another operating system may own the memory by then, which enables bus
 * mastering first and resets the device after it.
 *
 * <p>Interrupts are called on the thread that caused them, under no lock of this library.
 */
public final class VirtioPciFunction implements AutoCloseable {

    /** What {@link #barAddress} says of a BAR that leads nowhere. */
    public static final long NOT_MAPPED = -1;

    /** A virtual CPU, and a client whose other requests wait behind this one, bear so long a wait for a reset. */
    private static final long RESET_PATIENCE_NANOS = 1_000_000_000;

    private static final int MOST_TYPE = PciHeader.VIRTIO_DEVICE_LAST - PciHeader.VIRTIO_DEVICE_BASE;

    private final DeviceLifecycle lifecycle;
    private final Bars bars;

    /** The bus master bit: interrupt messages go through as soon as it is set. */
    private final DmaGate busMaster;

    /** Rings and buffers: opened by a notification or DRIVER_OK while the bit is set, closed when it is cleared. */
    private final DmaGate data;
    private final MessageSender messages;
    private final VectorRoute vectors;
    private final FunctionInterrupts interrupts;
    private final VirtioStructures structures;

    /** Guards {@link #space} and what follows from it. Resets, kicks and interrupts come after it was let go. */
    private final ReentrantLock lock = new ReentrantLock();
    private final FunctionSpace space;

    private volatile boolean awake = true;
    private volatile boolean memorySpace;
    private boolean closed;

    private VirtioPciFunction(VirtioDevice device, DmaSpace dma, PciInterrupts routes, PciOptions options) {
        busMaster = new DmaGate(dma.memory());
        data = new DmaGate(dma.memory());
        // First, for it asks the device what it is; and whatever refuses the device comes before something is opened
        // that only the close of a function closes.
        lifecycle = new DeviceLifecycle(device, dma.behind(data), new Signals(), RESET_PATIENCE_NANOS);
        DeviceInfo info = lifecycle.info();
        bars = new Bars(info.queueCount(), info.configSize(), options.vectorsFor(info.queueCount()));
        space = new FunctionSpace(info, options, bars, routes.pin().isPresent());
        messages = claimed(dma, "messages of device type " + info.deviceType());
        vectors = routes.vectors().isPresent() ? new SinkVectors(bars, routes.vectors().get())
                : new VectorTable(bars, messages, busMaster);
        interrupts = new FunctionInterrupts(info.queueCount(), vectors, routes.pin().orElse(level -> { }));
        structures = new VirtioStructures(lifecycle, interrupts, this::admit);
    }

    /** Takes the device last of what can be refused, and lets go of nothing that a refusal would leave open. */
    private MessageSender claimed(DmaSpace dma, String holder) {
        MessageSender sender = dma.behind(busMaster).messages(holder);
        try {
            lifecycle.claim();
            return sender;
        } catch (RuntimeException | Error refused) {
            FirstFailure.throwIt(FirstFailure.after(refused, sender::close));
            throw refused;
        }
    }

    /**
     * Makes a function with {@link PciOptions#DEFAULT}.
     *
     * @param device     the device; it belongs to this function alone, until {@link #close} is complete
     * @param dma        what the device's rings and buffers are reached through, and its interrupt messages sent
     * @param interrupts where interrupts go
     * @return a function as it is after power-on
     * @throws IllegalArgumentException if the device has more queues or configuration than a function can show, or a
     *         type above 63, or offers bits that are not a device type's to offer (section 2.2)
     * @throws IllegalStateException if the device has another window or function
     */
    public static VirtioPciFunction of(VirtioDevice device, DmaSpace dma, PciInterrupts interrupts) {
        return of(device, dma, interrupts, PciOptions.DEFAULT);
    }

    /**
     * Makes a function.
     *
     * @param device     the device; it belongs to this function alone, until {@link #close} is complete
     * @param dma        what the device's rings and buffers are reached through, and its interrupt messages sent
     * @param interrupts where interrupts go
     * @param options    what else there is to choose
     * @return a function as it is after power-on
     * @throws IllegalArgumentException as {@link #of(VirtioDevice, DmaSpace, PciInterrupts)}
     * @throws IllegalStateException as there
     */
    public static VirtioPciFunction of(VirtioDevice device, DmaSpace dma, PciInterrupts interrupts,
            PciOptions options) {
        int type = device.info().deviceType();
        if (type > MOST_TYPE) {
            throw new IllegalArgumentException("deviceType=" + type + ", but PCI has device IDs for types 1 to "
                    + MOST_TYPE + " alone (section 4.1.2); use virtio-mmio for others");
        }
        return new VirtioPciFunction(device, dma, interrupts, options);
    }

    // Configuration space

    /**
     * Reads configuration space. Any thread.
     *
     * @param offset bytes from its start; from 256 to 4,095 is a list of extended capabilities without any, all zeros
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
     * function or take bus mastering away. A function level reset waits as {@link #reset} does. What takes bus
     * mastering or MSI-X away waits for the interrupts that other threads are sending just now.
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
        boolean silenced;
        boolean woken;
        FirstFailure failure = new FirstFailure();
        lock.lock();
        try {
            if (closed) {
                return;
            }
            boolean sent = sendsMessages();
            space.write(offset, width, (int) value);
            reset = space.takeFunctionReset();
            failure.run(this::apply);
            silenced = sent && !sendsMessages();
            woken = busMaster.isOpen() && data.resume();
        } finally {
            lock.unlock();
        }
        // Whatever an embedder has thrown, all that the write asks for is done.
        if (reset) {
            failure.run(this::resetFunction);
        } else {
            if (silenced) {
                failure.run(interrupts::awaitForgotten);
            }
            failure.run(interrupts::settle);
            if (woken) {
                // What was at work, or notified of, when it fell asleep: no notification need follow.
                failure.run(lifecycle.kicks()::kickAll);
            }
            if (space.touchesWindowData(offset, width)) {
                failure.run(this::writeThroughWindow);
            }
        }
        failure.rethrow();
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
        return memorySpace ? read(bar, offset, width) : PciBus.allOnes(width);
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
        if (memorySpace) {
            write(bar, offset, width, value);
        }
    }

    /**
     * Reads from a BAR as {@link #readBar} does, whether memory space is enabled or not. For an embedder to whom BARs
     * are named by number, as over VFIO: whoever names them has decided what is routed there. Any thread.
     *
     * @param bar    its number
     * @param offset bytes from its start
     * @param width  bytes
     * @return the value, zero-extended; all ones in D3hot, 0 for what cannot be read there, or not with that width
     */
    public long readRegion(int bar, long offset, int width) {
        return awake ? read(bar, offset, width) : PciBus.allOnes(width);
    }

    /**
     * Writes to a BAR as {@link #writeBar} does, whether memory space is enabled or not. Any thread; one inside a
     * section of the device's DMA must not reset the device.
     *
     * @param bar    its number
     * @param offset bytes from its start
     * @param width  bytes
     * @param value  its low {@code width} bytes count; ignored in D3hot, and where that cannot be written
     */
    public void writeRegion(int bar, long offset, int width, long value) {
        if (awake) {
            write(bar, offset, width, value);
        }
    }

    private long read(int bar, long offset, int width) {
        return switch (bar) {
            case Bars.VIRTIO -> structures.read(offset, width);
            case Bars.MSIX -> vectors.read(offset, width);
            default -> 0;
        };
    }

    private void write(int bar, long offset, int width, long value) {
        if (bar == Bars.VIRTIO) {
            structures.write(offset, width, value);
        } else if (bar == Bars.MSIX) {
            vectors.write(offset, width, value);
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
     * Masks a vector beside whatever the guest has masked, or lets it go: what was raised meanwhile is sent then, once.
     * A reset of the function does not change it. Any thread but one inside a section of the device's DMA.
     *
     * @param vector its number
     * @param masked whether it is held back
     * @throws IndexOutOfBoundsException if there is no such vector
     */
    public void maskVector(int vector, boolean masked) {
        vectors.maskByEmbedder(Objects.checkIndex(vector, bars.vectors()), masked);
    }

    /**
     * Messages that led nowhere, because there was no doorbell at their address or translation refused it.
     *
     * @return a count that only grows
     */
    public long lostMessages() {
        return vectors.lost();
    }

    /**
     * Looks at every queue and serves what its driver has made available without a notification; interrupts are raised
     * on this thread. For a device that is {@linkplain VirtioDevice#isPolled polled}, a thread of the embedder's calls
     * this again and again from the function's making to its end, and idles as it likes in between; where there is
     * nothing to do, a look costs a fraction of a microsecond. It allocates nothing. After bus mastering was taken away
     * nothing is looked at before the next notification or {@code DRIVER_OK}, as everywhere; after D3hot it is. Any
     * thread but one inside a section of the device's DMA, several at once, and beside notifications, resets and {@link
     * #close}.
     *
     * @return how many buffers were given back, 0 if there were none; of a device that does not count, 0 in any case
     */
    public int poll() {
        return data.isOpen() ? lifecycle.kicks().poll() : 0;
    }

    /**
     * Kicks every queue, as an embedder does who has {@linkplain org.virtio4j.vmm.GuestMemory#settle exchanged memory}:
     * what the driver notified of meanwhile may not have been reachable. Any thread but one inside a section of the
     * device's DMA.
     */
    public void memoryChanged() {
        lifecycle.kicks().kickAll();
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
     * Tells somebody why the device stands still. At set-up.
     *
     * @param listener told from now on, instead of whoever was before
     */
    public void listener(DeviceListener listener) {
        lifecycle.listener(listener);
    }

    /**
     * Resets the device and, but for {@link ResetKind#DEVICE}, the function with its configuration space. When this
     * returns, nothing of before reaches guest memory any more. It waits up to a second for what the device is doing
     * elsewhere; a reset that is not complete by then is finished when the guest reads the status, or by the next
     * reset. Any thread but one inside a section of the device's DMA.
     *
     * @param kind how much is taken back
     * @return whether the reset is complete
     */
    public boolean reset(ResetKind kind) {
        boolean[] complete = new boolean[1];
        FirstFailure failure = new FirstFailure();
        failure.run(() -> complete[0] = lifecycle.reset(kind));
        if (kind != ResetKind.DEVICE) {
            failure.run(this::resetRegisters);
        }
        failure.run(interrupts::awaitForgotten);
        failure.rethrow();
        return complete[0];
    }

    /**
     * Ends the function: resets it, and gives back what it holds in the memory and the IOMMU that it was made with.
     * Afterwards its registers read as after power-on and keep nothing that is written, and it never reaches memory
     * again. The device is the embedder's to close, after this. Any thread but one inside a section of the device's
     * DMA; closing twice does nothing.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        // Also for a CPU that is writing the status just now.
        lifecycle.end();
        FirstFailure failure = new FirstFailure();
        failure.run(this::resetFunction);
        failure.run(messages::close);
        failure.rethrow();
    }

    private void resetFunction() {
        boolean ignored = reset(ResetKind.FUNCTION);
    }

    private void resetRegisters() {
        lock.lock();
        try {
            space.reset();
            vectors.reset();
            apply();
        } finally {
            lock.unlock();
        }
    }

    /** Whether a notification counts: one that comes while bus mastering is off is dropped. */
    private boolean admit() {
        return data.isOpen() || openData();
    }

    private boolean openData() {
        lock.lock();
        try {
            if (busMaster.isOpen() && !closed) {
                data.open();
            }
            return data.isOpen();
        } finally {
            lock.unlock();
        }
    }

    private boolean sendsMessages() {
        return busMaster.isOpen() && interrupts.byMessages();
    }

    /** Lets what the registers say come true. */
    private void apply() {
        int command = space.command();
        int control = space.messageControl();
        boolean messages = (control & MsixCapability.ENABLE) != 0;
        awake = !space.asleep();
        memorySpace = (command & PciCommand.MEMORY_SPACE) != 0;
        interrupts.route(messages, (control & MsixCapability.FUNCTION_MASK) != 0,
                (command & PciCommand.INTX_DISABLE) != 0);
        interrupts.hold((command & PciCommand.BUS_MASTER) == 0);
        if ((command & PciCommand.BUS_MASTER) != 0) {
            busMaster.open();
        } else if (busMaster.isOpen() || data.isPaused()) {
            // A listener of stalls may throw when a wait is over; both are closed all the same.
            FirstFailure failure = new FirstFailure();
            failure.run(busMaster::close);
            // Asleep it goes on later as it was, unless the bit itself is taken away.
            failure.run(space.mayMasterBus() ? data::pause : data::close);
            failure.rethrow();
        }
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

        @Override
        public void queueEnded(int queue) {
            interrupts.queueEnded(queue);
        }

        @Override
        public void settle() {
            interrupts.settlePin();
        }

        @Override
        public void starting() {
            boolean ignored = openData();
        }

        /** The pin follows when the reset has let go of the life cycle's lock: the embedder is not called under it. */
        @Override
        public void deviceReset() {
            interrupts.forget();
            structures.forgetSelectors();
        }
    }
}
