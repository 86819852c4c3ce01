// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** One PCI function and its driver, down to registers, rings and descriptors. */
final class RawFunction {

    static final int SIZE = 16;

    private static final long BARS = 0x4000_0000L;
    private static final int BARS_SIZE = 1 << 20;
    private static final int COMMAND = 4;
    private static final int MEMORY_SPACE = 2;
    private static final int BUS_MASTER = 4;
    private static final int FEATURES_OK = 11;
    private static final int RUNNING = 15;
    private static final int RING_SPACE = 0x3000;

    final VirtioPciFunction function;
    private final PciHost host;
    private final GuestBytes ram;
    private final long ringBase;
    private final int queues;
    private final @Nullable DriverRing[] rings;
    private PciDriverTransport driver;

    /** A function that is powered on and found; its rings go to one place after the other, 12 KiB each. */
    RawFunction(VirtioDevice device, DmaSpace dma, GuestMemory memory, long ringBase, Runnable interrupt) {
        this.ram = new GuestBytes(memory, null);
        this.ringBase = ringBase;
        this.queues = device.info().queueCount();
        this.rings = new DriverRing[queues];
        function = VirtioPciFunction.of(device, dma, PciInterrupts.vectors(vector -> interrupt.run(), level -> { }));
        PciBus bus = new PciBus(BARS, BARS_SIZE);
        bus.add(1, 0, function);
        host = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE);
        driver = found();
    }

    /** Finds the function again when it was reset with its configuration space. */
    void find() {
        driver = found();
    }

    private PciDriverTransport found() {
        PciDriverTransport transport = host.scan().getFirst();
        transport.maskFunction(false);
        transport.enableMessages(true);
        return transport;
    }

    void busMastering(boolean on) {
        function.writeConfig(COMMAND, 2, on ? BUS_MASTER | MEMORY_SPACE : MEMORY_SPACE);
    }

    DriverTransport driver() {
        return driver;
    }

    DriverRing ring(int queue) {
        return Objects.requireNonNull(rings[queue]);
    }

    void doorbell(int queue) {
        driver.notifyQueue(queue);
    }

    void start(boolean eventIdx) {
        prepare(eventIdx);
        go();
    }

    /** All but DRIVER_OK: resets the device and sets its queues up, with every feature but maybe EVENT_IDX. */
    void prepare(boolean eventIdx) {
        prepare(eventIdx, 0);
    }

    /** The same, where the device sees memory so many bytes further on than its driver. */
    void prepare(boolean eventIdx, long shift) {
        driver.writeStatus(0);
        assertEquals(0, driver.status());
        driver.writeStatus(3);
        int unwanted = eventIdx ? 0 : 1 << FeatureBit.EVENT_IDX;
        driver.acceptFeatures(0, driver.offeredFeatures(0) & ~unwanted);
        driver.acceptFeatures(1, driver.offeredFeatures(1));
        driver.writeStatus(FEATURES_OK);
        assertEquals(FEATURES_OK, driver.status());
        for (int queue = 0; queue < queues; queue++) {
            long base = ringBase + (long) queue * RING_SPACE;
            ram.fill(base, RING_SPACE, 0);
            driver.queueVector(queue, 1 + queue);
            assertTrue(driver.enableQueue(queue, SIZE, base + shift, base + shift + 0x1000, base + shift + 0x2000));
            rings[queue] = new DriverRing(ram, SIZE, base, base + 0x1000, base + 0x2000);
        }
    }

    void go() {
        driver.writeStatus(RUNNING);
    }
}
