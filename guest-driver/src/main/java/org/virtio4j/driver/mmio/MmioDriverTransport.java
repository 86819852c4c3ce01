// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.mmio;

import org.virtio4j.driver.DriverTransport;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.MmioRegister;

/**
 * Reaches a device through the register window of virtio-mmio, version 2 (virtio 1.4, section 4.2), by register
 * accesses alone: the {@link RegisterHandler} may be that of any device.
 *
 * <p>Setting up is for one thread at a time, because selecting a queue and writing its registers are two accesses.
 * {@link #notifyQueue} and {@link #takeInterrupts} may be called from any thread.
 */
public final class MmioDriverTransport implements DriverTransport {

    /** What the first registers of a window say. */
    public enum Discovery {
        /** A device is there. */
        FOUND,
        /** {@code MagicValue} is something else: no virtio device. */
        NOT_VIRTIO,
        /** {@code Version} is not 2; a legacy device says 1. */
        OTHER_VERSION,
        /** {@code DeviceID} is 0: a place for a device, and none in it, which is no error. */
        EMPTY
    }

    private static final int WORD = 4;
    private static final long WINDOW_SIZE = 0x200;
    private static final int MOST_READS = 1_000_000;

    private final RegisterHandler window;
    private final long windowSize;
    private final int deviceType;

    private MmioDriverTransport(RegisterHandler window, long windowSize, int deviceType) {
        this.window = window;
        this.windowSize = windowSize;
        this.deviceType = deviceType;
    }

    /**
     * Looks for a device, reading no further than a driver may (section 4.2.3.1.1).
     *
     * @param window the registers
     * @return what is there
     */
    public static Discovery discover(RegisterHandler window) {
        if ((int) window.read(MmioRegister.MAGIC_VALUE, WORD) != MmioRegister.MAGIC) {
            return Discovery.NOT_VIRTIO;
        }
        if ((int) window.read(MmioRegister.VERSION, WORD) != MmioRegister.VERSION_2) {
            return Discovery.OTHER_VERSION;
        }
        return window.read(MmioRegister.DEVICE_ID, WORD) == 0 ? Discovery.EMPTY : Discovery.FOUND;
    }

    /**
     * Takes a device that {@link #discover} finds, behind a window of 0x200 bytes.
     *
     * @param window the registers
     * @return the transport, with the device as it was
     * @throws IllegalStateException if there is no device
     */
    public static MmioDriverTransport of(RegisterHandler window) {
        return of(window, WINDOW_SIZE);
    }

    /**
     * Takes a device that {@link #discover} finds.
     *
     * @param window     the registers
     * @param windowSize bytes of the window, as ACPI or the device tree says
     * @return the transport, with the device as it was
     * @throws IllegalStateException if there is no device
     */
    public static MmioDriverTransport of(RegisterHandler window, long windowSize) {
        Discovery found = discover(window);
        if (found != Discovery.FOUND) {
            throw new IllegalStateException("discovery=" + found + ", but a virtio-mmio device of version 2 is needed;"
                    + " ask discover() where there may be none");
        }
        return new MmioDriverTransport(window, windowSize, (int) window.read(MmioRegister.DEVICE_ID, WORD));
    }

    @Override
    public int deviceType() {
        return deviceType;
    }

    /**
     * Reads who made the device.
     *
     * @return what {@code VendorID} says
     */
    public int vendorId() {
        return read(MmioRegister.VENDOR_ID);
    }

    @Override
    public int status() {
        return read(MmioRegister.STATUS);
    }

    @Override
    public void writeStatus(int status) {
        write(MmioRegister.STATUS, status);
    }

    @Override
    public int offeredFeatures(int word) {
        write(MmioRegister.DEVICE_FEATURES_SEL, word);
        return read(MmioRegister.DEVICE_FEATURES);
    }

    @Override
    public void acceptFeatures(int word, int bits) {
        write(MmioRegister.DRIVER_FEATURES_SEL, word);
        write(MmioRegister.DRIVER_FEATURES, bits);
    }

    @Override
    public int queueSizeMax(int queue) {
        write(MmioRegister.QUEUE_SEL, queue);
        return read(MmioRegister.QUEUE_SIZE_MAX);
    }

    @Override
    public boolean queueReady(int queue) {
        write(MmioRegister.QUEUE_SEL, queue);
        return read(MmioRegister.QUEUE_READY) != 0;
    }

    @Override
    public boolean enableQueue(int queue, int size, long descriptorArea, long driverArea, long deviceArea) {
        write(MmioRegister.QUEUE_SEL, queue);
        write(MmioRegister.QUEUE_SIZE, size);
        writeAddress(MmioRegister.QUEUE_DESC_LOW, MmioRegister.QUEUE_DESC_HIGH, descriptorArea);
        writeAddress(MmioRegister.QUEUE_DRIVER_LOW, MmioRegister.QUEUE_DRIVER_HIGH, driverArea);
        writeAddress(MmioRegister.QUEUE_DEVICE_LOW, MmioRegister.QUEUE_DEVICE_HIGH, deviceArea);
        write(MmioRegister.QUEUE_READY, 1);
        return read(MmioRegister.QUEUE_READY) == 1;
    }

    @Override
    public boolean disableQueue(int queue) {
        write(MmioRegister.QUEUE_SEL, queue);
        write(MmioRegister.QUEUE_READY, 0);
        return read(MmioRegister.QUEUE_READY) == 0;
    }

    @Override
    public boolean resetQueue(int queue) {
        write(MmioRegister.QUEUE_SEL, queue);
        write(MmioRegister.QUEUE_RESET, 1);
        for (int i = 0; i < MOST_READS; i++) {
            if (read(MmioRegister.QUEUE_RESET) == 0) {
                return read(MmioRegister.QUEUE_READY) == 0;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    @Override
    public void notifyQueue(int queue) {
        write(MmioRegister.QUEUE_NOTIFY, queue);
    }

    @Override
    public int configGeneration() {
        return read(MmioRegister.CONFIG_GENERATION);
    }

    @Override
    public long configSize() {
        return Math.max(0, windowSize - MmioRegister.CONFIG);
    }

    @Override
    public long readConfig(long offset, int width) {
        long place = MmioRegister.CONFIG + offset;
        if (width < Long.BYTES) {
            return window.read(place, width);
        }
        return window.read(place, WORD) | (window.read(place + WORD, WORD) << Integer.SIZE);
    }

    @Override
    public void writeConfig(long offset, int width, long value) {
        long place = MmioRegister.CONFIG + offset;
        if (width < Long.BYTES) {
            window.write(place, width, value);
        } else {
            window.write(place, WORD, value & 0xffff_ffffL);
            window.write(place + WORD, WORD, value >>> Integer.SIZE);
        }
    }

    @Override
    public int takeInterrupts() {
        int events = interruptStatus();
        if (events != 0) {
            acknowledgeInterrupts(events);
        }
        return events;
    }

    /**
     * Reads which events are not acknowledged.
     *
     * @return a sum of {@link MmioRegister#INTERRUPT_USED_BUFFER} and {@link MmioRegister#INTERRUPT_CONFIG}
     */
    public int interruptStatus() {
        return read(MmioRegister.INTERRUPT_STATUS);
    }

    /**
     * Says that events were handled.
     *
     * @param events a sum as {@link #interruptStatus} returns it
     */
    public void acknowledgeInterrupts(int events) {
        write(MmioRegister.INTERRUPT_ACK, events);
    }

    private void writeAddress(long low, long high, long address) {
        write(low, (int) address);
        write(high, (int) (address >>> Integer.SIZE));
    }

    private int read(long register) {
        return (int) window.read(register, WORD);
    }

    private void write(long register, int value) {
        window.write(register, WORD, Integer.toUnsignedLong(value));
    }
}
