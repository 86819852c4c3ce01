// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.pci.FoundStructures.Place;
import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.PciHeader;

/**
 * Reaches a device through its PCI function (virtio 1.4, section 4.1), which {@link PciHost#scan} has found and
 * enabled, by register accesses alone. Each field is accessed in its own width, those of 8 bytes in two halves.
 *
 * <p>Setting up is for one thread at a time, because selecting a queue and accessing its registers are two accesses.
 * {@link #notifyQueue} of a queue that was enabled and {@link #takeInterrupts} may be called from any thread.
 * {@link #enableQueue} allocates when it first learns where a queue is notified; nothing else does.
 */
public final class PciDriverTransport implements DriverTransport {

    private final PciFunction function;
    private final int deviceType;
    private final CommonStructure common;
    private final QueueNotifier notifier;
    private final PciRegisters isr;
    private final @Nullable PciRegisters config;
    private final long configSize;
    private final @Nullable MsixTable messages;

    /** With the structures that {@link FoundStructures#discovery} asks for. */
    PciDriverTransport(PciFunction function, FoundStructures structures) {
        this.function = function;
        this.deviceType = function.config().u16(PciHeader.DEVICE_ID) - PciHeader.VIRTIO_DEVICE_BASE;
        Place commonPlace = Objects.requireNonNull(structures.common());
        this.common = new CommonStructure(registers(commonPlace), commonPlace);
        Place notifications = Objects.requireNonNull(structures.notifications());
        this.notifier = new QueueNotifier(registers(notifications), notifications.length(),
                notifications.multiplier());
        this.isr = registers(Objects.requireNonNull(structures.isr()));
        Place device = structures.device();
        this.config = device == null ? null : registers(device);
        this.configSize = device == null ? 0 : device.length();
        this.messages = MsixTable.of(function);
    }

    /**
     * Where the function is.
     *
     * @return number of its device on bus 0
     */
    public int device() {
        return function.config().device();
    }

    /**
     * Where the function is.
     *
     * @return its number within the device
     */
    public int function() {
        return function.config().function();
    }

    @Override
    public int deviceType() {
        return deviceType;
    }

    @Override
    public int status() {
        return common.status();
    }

    @Override
    public void writeStatus(int status) {
        common.writeStatus(status);
    }

    @Override
    public int offeredFeatures(int word) {
        return common.offeredFeatures(word);
    }

    @Override
    public void acceptFeatures(int word, int bits) {
        common.acceptFeatures(word, bits);
    }

    /**
     * {@inheritDoc}
     *
     * <p>PCI has one register for the largest size and the chosen one. Once a size was written, by {@link #enableQueue}
     * or anyone, it is that size that is read, until the queue or the device is reset.
     */
    @Override
    public int queueSizeMax(int queue) {
        return common.queueSize(queue);
    }

    @Override
    public boolean queueReady(int queue) {
        return common.queueEnabled(queue);
    }

    /**
     * {@inheritDoc}
     *
     * <p>A queue whose notification address lies outside the notification structure is not enabled.
     */
    @Override
    public boolean enableQueue(int queue, int size, long descriptorArea, long driverArea, long deviceArea) {
        int notifyOffset = common.placeQueue(queue, size, descriptorArea, driverArea, deviceArea);
        return notifier.place(queue, notifyOffset) && common.enablePlacedQueue();
    }

    /**
     * Does nothing: a driver must not write 0 to {@code queue_enable} (section 4.1.4.3.2). What PCI has is {@link
     * #resetQueue}.
     *
     * @param queue index of the queue
     * @return false
     */
    @Override
    public boolean disableQueue(int queue) {
        return false;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Where the common configuration is too short to have {@code queue_reset}, this returns false and does nothing.
     */
    @Override
    public boolean resetQueue(int queue) {
        return common.resetQueue(queue);
    }

    /**
     * {@inheritDoc}
     *
     * <p>One write to the queue's address, once the queue was enabled. Before that the address has to be looked up,
     * which selects the queue and so belongs to setting up; where the device has no address for it nothing is written.
     */
    @Override
    public void notifyQueue(int queue) {
        if (!notifier.notify(queue)) {
            lookUpAndNotify(queue);
        }
    }

    @Override
    public int configGeneration() {
        return common.configGeneration();
    }

    /** The length of the structure in its BAR, as the capability says. */
    @Override
    public long configSize() {
        return configSize;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the function has no device configuration
     */
    @Override
    public long readConfig(long offset, int width) {
        return config().read(offset, width);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the function has no device configuration
     */
    @Override
    public void writeConfig(long offset, int width, long value) {
        config().write(offset, width, value);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Reading the ISR status acknowledges. While messages are enabled it says nothing of used buffers.
     */
    @Override
    public int takeInterrupts() {
        return isr.u8(0);
    }

    /**
     * How many interrupt messages the function has.
     *
     * @return entries of the MSI-X table, 0 if there is none
     */
    public int vectorCount() {
        return messages == null ? 0 : messages.vectorCount();
    }

    /**
     * Has the function interrupt by messages or by its pin.
     *
     * @param on true for messages
     * @throws IllegalStateException if the function has no MSI-X table
     */
    public void enableMessages(boolean on) {
        messages().control(MsixCapability.ENABLE, on);
    }

    /**
     * Masks all vectors at once, whatever their own masks say.
     *
     * @param on true to mask
     * @throws IllegalStateException if the function has no MSI-X table
     */
    public void maskFunction(boolean on) {
        messages().control(MsixCapability.FUNCTION_MASK, on);
    }

    /**
     * Writes the message of one vector, masked meanwhile.
     *
     * @param vector  from 0 to {@link #vectorCount} − 1
     * @param address where the function writes to, a multiple of 4
     * @param data    what it writes
     * @param masked  whether the vector stays masked
     * @throws IllegalArgumentException if there is no such vector
     * @throws IllegalStateException if the function has no MSI-X table
     */
    public void writeVector(int vector, long address, int data, boolean masked) {
        messages().write(vector, address, data, masked);
    }

    /**
     * Masks or unmasks one vector.
     *
     * @param vector from 0 to {@link #vectorCount} − 1
     * @param masked true to mask
     * @throws IllegalArgumentException if there is no such vector
     * @throws IllegalStateException if the function has no MSI-X table
     */
    public void maskVector(int vector, boolean masked) {
        messages().mask(vector, masked);
    }

    /**
     * Reads whether a message waits for its mask to be taken away.
     *
     * @param vector from 0 to {@link #vectorCount} − 1
     * @return the vector's pending bit
     * @throws IllegalArgumentException if there is no such vector
     * @throws IllegalStateException if the function has no MSI-X table
     */
    public boolean isPending(int vector) {
        return messages().isPending(vector);
    }

    /**
     * Maps changes of the configuration to a vector, and reads back whether the device could (section 4.1.5.1.2).
     *
     * @param vector index in the MSI-X table, or {@link CommonConfig#NO_VECTOR}; a correct driver names no other, but
     *               nothing here prevents it
     * @return whether it reads back
     */
    public boolean configVector(int vector) {
        return common.configVector(vector);
    }

    /**
     * Maps the used buffers of a queue to a vector, and reads back whether the device could (section 4.1.5.1.2).
     *
     * @param queue  index of the queue
     * @param vector as in {@link #configVector}
     * @return whether it reads back
     */
    public boolean queueVector(int queue, int vector) {
        return common.queueVector(queue, vector);
    }

    /**
     * Resets the function (a function level reset of PCI Express), places its BARs where they were and enables it
     * again. The device is as after power-up then, its MSI-X table too.
     *
     * @return false if the function has no such reset, and then nothing was done, or if it does not come back
     */
    public boolean functionReset() {
        return function.reset();
    }

    private void lookUpAndNotify(int queue) {
        if (notifier.place(queue, common.notifyOffset(queue))) {
            notifier.notify(queue);
        }
    }

    private PciRegisters registers(Place place) {
        return function.registers(place.bar(), place.offset());
    }

    private PciRegisters config() {
        if (config == null) {
            throw new IllegalStateException("deviceType=" + deviceType + " has no device configuration in any BAR");
        }
        return config;
    }

    private MsixTable messages() {
        if (messages == null) {
            throw new IllegalStateException("vectorCount=0: the function has no MSI-X table; ask vectorCount() first");
        }
        return messages;
    }
}
