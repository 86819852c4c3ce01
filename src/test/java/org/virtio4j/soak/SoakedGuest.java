// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.soak;

import static org.virtio4j.soak.Neighbours.require;

import java.util.concurrent.atomic.AtomicInteger;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.Parked;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;

/** A function or a window, and a guest's driver with its first queue; made, used and closed. */
final class SoakedGuest {

    /** How a guest reaches its device, and how that interrupts. */
    enum Way { MMIO, MESSAGES, VECTORS, PIN }

    private static final long BARS = 0x4000_0000L;
    private static final int BARS_SIZE = 1 << 20;
    private static final int ROOM = 2048;
    private static final int RING = 16;

    /** Guest memory for one device after the other. */
    static final class Place {

        private final QueueMemory ring;
        private final GuestBuffer area;

        Place(GuestRam ram) {
            ring = QueueMemory.compact(ram, RING);
            area = ram.buffer(ROOM, RING);
        }
    }

    private final Place place;
    private final AtomicInteger interrupts;
    private final DriverTransport transport;
    private final Runnable close;
    private final boolean messages;
    private final VirtioDriver driver;
    private final DriverQueue queue;

    /**
     * Brings the device up.
     *
     * @param interrupts counts them; messages are counted by the doorbell
     */
    SoakedGuest(VirtioDevice device, DmaSpace dma, Way way, Place place, AtomicInteger interrupts) {
        this.place = place;
        this.interrupts = interrupts;
        this.messages = way == Way.MESSAGES || way == Way.VECTORS;
        if (way == Way.MMIO) {
            VirtioMmioDevice window = VirtioMmioDevice.of(device, dma, this::line);
            transport = MmioDriverTransport.of(window);
            close = window::close;
        } else {
            VirtioPciFunction function = VirtioPciFunction.of(device, dma, way == Way.VECTORS
                    ? PciInterrupts.vectors(vector -> interrupts.incrementAndGet(), this::line)
                    : PciInterrupts.messages(this::line));
            transport = find(function);
            close = function::close;
        }
        driver = new VirtioDriver(transport, FeatureSet.offeredBy(transport));
        require(driver.begin() == StartResult.OK, "refused");
        useMessages();
        queue = driver.queue(0, place.ring);
        require(driver.enable(queue) == StartResult.OK, "not enabled");
        require(driver.driverOk() == StartResult.OK, "not started");
    }

    /** What a guest finds behind a bus. */
    static DriverTransport find(VirtioPciFunction function) {
        PciBus bus = new PciBus(BARS, BARS_SIZE);
        bus.add(1, 0, function);
        return new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE).scan().getFirst();
    }

    /**
     * Sends a request and waits for its interrupt and its answer; in this order, for a driver that has seen the answer
     * moves used_event on, and a worker that looks at it only then need not interrupt (section 2.7.7).
     */
    void use(byte[] readable, int writable) {
        int before = interrupts.get();
        begin(readable, writable);
        Parked.until(() -> interrupts.get() != before);
        Parked.until(queue::poll);
    }

    /** Sends a request, and waits for nothing. */
    void begin(byte[] readable, int writable) {
        place.area.write(0, readable, 0, readable.length);
        long at = place.area.address();
        require(queue.add(1, at, readable.length, at + readable.length, writable), "no room");
        driver.kick(queue);
    }

    int written(int at) {
        return place.area.u8(at);
    }

    /** What a driver does before it goes. */
    void reset() {
        require(driver.reset() == StartResult.OK, "not reset");
    }

    void close() {
        close.run();
    }

    private void line(boolean level) {
        if (level) {
            interrupts.incrementAndGet();
        }
    }

    private void useMessages() {
        if (!messages || !(transport instanceof PciDriverTransport pci)) {
            return;
        }
        for (int vector = 0; vector < pci.vectorCount(); vector++) {
            pci.writeVector(vector, Neighbours.DOORBELL, vector, false);
        }
        pci.maskFunction(false);
        pci.enableMessages(true);
        require(pci.configVector(0) && pci.queueVector(0, 1), "no vector");
    }
}
