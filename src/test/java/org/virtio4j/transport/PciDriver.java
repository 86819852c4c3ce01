// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.wire.DeviceStatus;

/**
 * A guest's driver of a function that interrupts by messages: it maps each event to a vector of its own when a driver
 * would, and is told by them what has happened. The function may be found anew at any time.
 */
final class PciDriver implements DriverTransport {

    /** The vector of configuration changes; those of the queues follow. */
    static final int CONFIG_VECTOR = 0;

    private final Interrupts interrupts;
    private final boolean byMessages;
    private volatile PciDriverTransport transport;

    PciDriver(PciDriverTransport transport, Interrupts interrupts, boolean byMessages) {
        this.transport = transport;
        this.interrupts = interrupts;
        this.byMessages = byMessages;
    }

    /** The event that a vector is mapped to. */
    static int event(int vector) {
        return vector == CONFIG_VECTOR ? Port.CONFIG : Port.USED;
    }

    void found(PciDriverTransport again) {
        transport = again;
    }

    @Override
    public int deviceType() {
        return transport.deviceType();
    }

    @Override
    public int status() {
        return transport.status();
    }

    @Override
    public void writeStatus(int status) {
        if (byMessages && (status & DeviceStatus.DRIVER) != 0) {
            transport.configVector(CONFIG_VECTOR);
        }
        transport.writeStatus(status);
    }

    @Override
    public int offeredFeatures(int word) {
        return transport.offeredFeatures(word);
    }

    @Override
    public void acceptFeatures(int word, int bits) {
        transport.acceptFeatures(word, bits);
    }

    @Override
    public int queueSizeMax(int queue) {
        return transport.queueSizeMax(queue);
    }

    @Override
    public boolean queueReady(int queue) {
        return transport.queueReady(queue);
    }

    @Override
    public boolean enableQueue(int queue, int size, long descriptorArea, long driverArea, long deviceArea) {
        if (byMessages) {
            transport.queueVector(queue, CONFIG_VECTOR + 1 + queue);
        }
        return transport.enableQueue(queue, size, descriptorArea, driverArea, deviceArea);
    }

    @Override
    public boolean disableQueue(int queue) {
        return transport.disableQueue(queue);
    }

    @Override
    public boolean resetQueue(int queue) {
        return transport.resetQueue(queue);
    }

    @Override
    public void notifyQueue(int queue) {
        transport.notifyQueue(queue);
    }

    @Override
    public int configGeneration() {
        return transport.configGeneration();
    }

    @Override
    public long configSize() {
        return transport.configSize();
    }

    @Override
    public long readConfig(long offset, int width) {
        return transport.readConfig(offset, width);
    }

    @Override
    public void writeConfig(long offset, int width, long value) {
        transport.writeConfig(offset, width, value);
    }

    @Override
    public int takeInterrupts() {
        return byMessages ? interrupts.takeEvents() : transport.takeInterrupts();
    }
}
