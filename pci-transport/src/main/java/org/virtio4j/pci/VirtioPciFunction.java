// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.device.transport.DeviceLifecycle;
import org.virtio4j.device.transport.TransportSignals;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.MessageSender;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.wire.pci.PciHeader;

/**
 * A device as a modern PCI function (virtio 1.4, section 4.1), with a configuration space of 4,096 bytes and two memory
 * BARs: BAR 1 with 32 bits holds the MSI-X table and its pending bits, BAR 4 with 64 bits the structures of virtio. An
 * embedder need not know which; {@link #barSize} of BARs 0 to 5 says it.
 *
 * <p>The embedder puts the function on its own bus, or on a {@link PciBus}. Its exit handler calls {@link #readConfig}
 * and {@link #writeConfig} for accesses to configuration space, and {@link #readBar} and {@link #writeBar} for accesses
 * to a window that the guest has placed at {@link #barAddress}, on any thread. Several virtual CPUs may call at once.
 * Nothing that a guest does throws. A write to a notification address takes no lock and returns when the device has
 * looked at the queue, or when another thread that is serving the queue has been told to look again. A write that
 * resets the device, a queue or the function stops it at once and waits up to a second for what the device is doing
 * elsewhere, for example in a file. Until the reset is complete, {@code device_status} and {@code queue_reset} do not
 * read as 0, and other accesses go on (section 4.1.4.3.1).
 *
 * <p>The command register counts: without {@code MEMORY_SPACE} the BARs read all ones and ignore writes; without {@code
 * BUS_MASTER} the device reaches no memory and sends no message. After power-on and after a reset of the function both
 * are off, and a guest's driver turns them on. <b>When bus mastering is taken away</b>, the requests that the device is
 * working on are dropped, and notifications are ignored. When it is given back, the device touches no byte of memory
 * before the next notification, or before {@code DRIVER_OK}. By then another operating system may own the memory, one
 * that enables bus mastering first and resets the device after it.
 *
 * <p>Interrupts are called on the thread that caused them, under no lock of this library.
 */
public final class VirtioPciFunction implements AutoCloseable {

    /** What {@link #barAddress} returns for a BAR that leads nowhere. */
    public static final long NOT_MAPPED = -1;

    /** A virtual CPU can wait for a reset this long, and so can a client whose other requests wait behind it. */
    private static final long RESET_PATIENCE_NANOS = 1_000_000_000;

    private static final int MOST_TYPE = PciHeader.VIRTIO_DEVICE_LAST - PciHeader.VIRTIO_DEVICE_BASE;

    private final DeviceLifecycle lifecycle;
    private final BusMastering mastering;
    private final MessageSender messages;
    private final VectorRoute vectors;
    private final FunctionInterrupts interrupts;
    private final VirtioStructures structures;
    private final BarLayout layout;
    private final BarAccess bars;
    private final FunctionControl control;

    private VirtioPciFunction(VirtioDevice device, DmaSpace dma, PciInterrupts routes, PciOptions options) {
        ReentrantLock lock = new ReentrantLock();
        mastering = new BusMastering(lock, dma);
        // First, because it asks the device what it is. A device must be refused before anything is opened that only
        // the close of a function closes.
        lifecycle = new DeviceLifecycle(device, mastering.forData(dma), new Signals(), RESET_PATIENCE_NANOS);
        DeviceInfo info = lifecycle.info();
        layout = new BarLayout(info.queueCount(), info.configSize(), options.vectorsFor(info.queueCount()));
        PciConfigSpace space = new PciConfigSpace(info, options, layout, routes.pin().isPresent());
        messages = claimed(mastering.forMessages(dma), "messages of device type " + info.deviceType());
        vectors = routes.vectors().isPresent() ? new SinkVectors(layout, routes.vectors().get())
                : new MessageVectors(layout, messages, mastering.messages());
        interrupts = new FunctionInterrupts(info.queueCount(), vectors, routes.pin().orElse(level -> { }));
        structures = new VirtioStructures(lifecycle, interrupts, mastering);
        bars = new BarAccess(layout, structures, vectors);
        control = new FunctionControl(lock, space, lifecycle, interrupts, mastering, bars);
    }

    /** Claims the device, the last step that can be refused, and closes again what was opened if it is. */
    private MessageSender claimed(DmaSpace dma, String holder) {
        MessageSender sender = dma.messages(holder);
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
     * @param offset bytes from its start; 256 to 4,095 is an empty list of extended capabilities, all zeros
     * @param width  1, 2 or 4 bytes, aligned
     * @return the value, zero-extended; 0 where there is no register, or none that is accessed with this width
     */
    public long readConfig(long offset, int width) {
        return control.read(offset, width);
    }

    /**
     * Writes configuration space. Any thread but one inside a section of the device's DMA, because this may reset the
     * function or take bus mastering away. A function level reset waits as {@link #reset} does. A write that takes bus
     * mastering or MSI-X away waits for the interrupts that other threads are sending at that moment.
     *
     * @param offset bytes from its start
     * @param width  1, 2 or 4 bytes, aligned
     * @param value  its low {@code width} bytes count; ignored where that cannot be written
     */
    public void writeConfig(long offset, int width, long value) {
        control.write(offset, width, value);
    }

    // BARs

    /**
     * How large a BAR is.
     *
     * @param bar its number
     * @return bytes, a power of two; 0 where there is no BAR, or only the high half of one
     */
    public long barSize(int bar) {
        return layout.size(bar);
    }

    /**
     * Where the guest has placed a BAR. An embedder that routes accesses itself asks again after each {@link
     * #writeConfig}. Any thread.
     *
     * @param bar its number
     * @return guest-physical address of its first byte, {@link #NOT_MAPPED} while memory space is disabled or the BAR
     *         was not set
     */
    public long barAddress(int bar) {
        return control.barAddress(bar);
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
        return bars.readBar(bar, offset, width);
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
        bars.writeBar(bar, offset, width, value);
    }

    /**
     * Reads from a BAR as {@link #readBar} does, whether memory space is enabled or not. For accesses that name the BAR
     * by number, as those of VFIO do: their sender has decided already what is routed there. Any thread.
     *
     * @param bar    its number
     * @param offset bytes from its start
     * @param width  bytes
     * @return the value, zero-extended; all ones in D3hot, 0 for what cannot be read there, or not with that width
     */
    public long readRegion(int bar, long offset, int width) {
        return bars.readRegion(bar, offset, width);
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
        bars.writeRegion(bar, offset, width, value);
    }

    // Beside the registers

    /**
     * How many MSI-X vectors there are.
     *
     * @return 2 to 2,048; 0 without MSI-X
     */
    public int vectorCount() {
        return layout.vectors();
    }

    /**
     * Masks a vector in addition to what the guest has masked, or ends that: an interrupt that was raised meanwhile is
     * sent then, once. A reset of the function does not change it. Any thread but one inside a section of the device's
     * DMA.
     *
     * @param vector its number
     * @param masked whether its interrupts wait
     * @throws IndexOutOfBoundsException if there is no such vector
     */
    public void maskVector(int vector, boolean masked) {
        vectors.maskByEmbedder(Objects.checkIndex(vector, layout.vectors()), masked);
    }

    /**
     * Interrupt messages that led nowhere, because there was no doorbell at their address or translation refused it.
     *
     * @return a count that only grows
     */
    public long lostMessages() {
        return vectors.lost();
    }

    /**
     * Looks at every queue and serves what its driver has made available without a notification; interrupts are raised
     * on this thread. For a device that is {@linkplain VirtioDevice#isPolled polled}, a thread of the embedder calls
     * this again and again as long as the function lives, and idles as it likes in between. A look that finds nothing
     * costs a fraction of a microsecond. It allocates nothing. After bus mastering was taken away, no queue is looked
     * at before the next notification or {@code DRIVER_OK}; after D3hot queues are looked at again at once. Any thread
     * but one inside a section of the device's DMA, several at once, and beside notifications, resets and {@link
     * #close}.
     *
     * @return how many buffers were given back, 0 if there were none; of a device that does not count, 0 in any case
     */
    public int poll() {
        return mastering.dataIsOpen() ? lifecycle.kicks().poll() : 0;
    }

    /**
     * Notifies the device of every queue, after the embedder has {@linkplain org.virtio4j.vmm.GuestMemory#endExchange
     * exchanged memory}: buffers that the driver notified of meanwhile may not have been reachable. Any thread but one
     * inside a section of the device's DMA.
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
     * Sets the listener that is told why the device stands still. At set-up.
     *
     * @param listener told from now on, instead of the one before
     */
    public void listener(DeviceListener listener) {
        lifecycle.listener(listener);
    }

    /**
     * Resets the device and, unless the kind is {@link ResetKind#DEVICE}, the function with its configuration space.
     * When this returns, no earlier request reaches guest memory any more. It waits up to a second for what the device
     * is doing elsewhere. A reset that is not complete by then is finished when the guest reads the status, or by the
     * next reset. Any thread but one inside a section of the device's DMA.
     *
     * @param kind how much is reset
     * @return whether the reset is complete
     */
    public boolean reset(ResetKind kind) {
        return control.reset(kind);
    }

    /**
     * Ends the function: resets it, and gives back what it holds in the memory and the IOMMU that it was made with.
     * Afterwards its registers read as after power-on and keep nothing that is written, and it never reaches memory
     * again. The embedder closes the device after this. Any thread but one inside a section of the device's DMA;
     * closing twice does nothing.
     */
    @Override
    public void close() {
        control.end();
        // Also for a CPU that is writing the status just now.
        lifecycle.end();
        FirstFailure failure = new FirstFailure();
        failure.run(control::resetFunction);
        failure.run(messages::close);
        failure.rethrow();
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
        public void updateLine() {
            interrupts.updatePin();
        }

        @Override
        public void starting() {
            boolean ignored = mastering.openData();
        }

        /** The pin follows when the reset has released the life cycle's lock: no callback is called under it. */
        @Override
        public void deviceReset() {
            interrupts.withdrawAll();
            structures.resetSelectors();
        }
    }
}
