// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceListener;
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
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.InterruptLine;

/** One device of a {@link CallbackMachine}, and a guest's driver with one queue of it. */
final class CallbackGuest {

    static final long DOORBELL = 0x8000_0000L;

    /** A virtio device status without the bit that a device sets. */
    static final int NEEDS_RESET = 64;

    private static final long BARS = 0x4000_0000L;
    private static final int BARS_SIZE = 1 << 20;
    private static final int ROOM = 2048;
    private static final int FEW_LOOKS = 100;

    final DriverTransport transport;
    private final Supplier<String> reason;
    private final Runnable close;
    private final boolean messages;
    private final QueueMemory ring;
    private final GuestBuffer area;
    private @Nullable VirtioDriver driver;
    private @Nullable DriverQueue queue;
    boolean running;

    private CallbackGuest(DriverTransport transport, Supplier<String> reason, Runnable close, boolean messages,
            GuestRam ram) {
        this.transport = transport;
        this.reason = reason;
        this.close = close;
        this.messages = messages;
        this.ring = QueueMemory.compact(ram, 16);
        this.area = ram.buffer(ROOM, 16);
    }

    static CallbackGuest overMmio(VirtioDevice device, DmaSpace dma, InterruptLine line, DeviceListener listener,
            GuestRam ram) {
        VirtioMmioDevice window = VirtioMmioDevice.of(device, dma, line);
        window.listener(listener);
        return new CallbackGuest(MmioDriverTransport.of(window), window::needsResetReason, window::close, false, ram);
    }

    /** Over PCI; the driver may use MSI-X. */
    static CallbackGuest overPci(VirtioDevice device, DmaSpace dma, PciInterrupts routes, boolean messages,
            DeviceListener listener, GuestRam ram) {
        VirtioPciFunction function = VirtioPciFunction.of(device, dma, routes);
        function.listener(listener);
        PciBus bus = new PciBus(BARS, BARS_SIZE);
        bus.add(1, 0, function);
        PciHost host = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE);
        return new CallbackGuest(host.scan().getFirst(), function::needsResetReason, function::close, messages, ram);
    }

    // Start and end

    void start() {
        VirtioDriver fresh = new VirtioDriver(transport, FeatureSet.offeredBy(transport));
        driver = fresh;
        assertEquals(StartResult.OK, fresh.begin());
        useMessages();
        DriverQueue first = fresh.queue(0, ring);
        queue = first;
        assertEquals(StartResult.OK, fresh.enable(first));
        assertEquals(StartResult.OK, fresh.driverOk());
        running = true;
    }

    /** MSI-X, where the guest uses it: vector 0 for the configuration, the others for the queues. */
    void useMessages() {
        if (messages && transport instanceof PciDriverTransport pci) {
            pci.enableMessages(true);
            for (int vector = 0; vector < pci.vectorCount(); vector++) {
                pci.writeVector(vector, DOORBELL, vector, false);
            }
            assertTrue(pci.configVector(0));
            for (int vector = 1; vector < pci.vectorCount(); vector++) {
                assertTrue(pci.queueVector(vector - 1, vector));
            }
        }
    }

    void reset() {
        running = false;
        transport.writeStatus(0);
    }

    /** A driver looks until the reset is done. */
    boolean isReset() {
        boolean done = false;
        for (int i = 0; i < FEW_LOOKS && !done; i++) {
            done = transport.status() == 0;
        }
        return done;
    }

    /** A driver that accepts nothing, VERSION_1 neither. */
    void beRefused() {
        for (int status : new int[] {1, 3, 11}) {
            transport.writeStatus(status);
        }
        assertEquals(3, transport.status());
    }

    /** A driver that puts a ring where none can be. */
    void misplaceRing() {
        for (int status : new int[] {1, 3}) {
            transport.writeStatus(status);
        }
        assertTrue(!transport.enableQueue(0, 16, 1, 1, 1));
    }

    void resetQueue() {
        VirtioDriver own = Objects.requireNonNull(driver);
        running = false;
        assertTrue(transport.resetQueue(0));
        useMessages();
        DriverQueue again = own.queue(0, ring);
        queue = again;
        assertEquals(StartResult.OK, own.enable(again));
        running = true;
    }

    void close() {
        close.run();
    }

    // Requests

    /** Sends a request; true once it came back, false if the wait was given up. */
    boolean send(byte[] readable, int writable, BooleanSupplier over) {
        area.write(0, readable, 0, readable.length);
        area.fill(readable.length, writable, DiskReply.UNTOUCHED);
        return sendAt(area.address(), readable.length, area.address() + readable.length, writable, over);
    }

    boolean sendAt(long readAt, int readable, long writeAt, int writable, BooleanSupplier over) {
        DriverQueue own = Objects.requireNonNull(queue);
        clearAnswers(own);
        assertTrue(own.add(1, readAt, readable, writeAt, writable));
        Objects.requireNonNull(driver).kick(own);
        boolean[] back = new boolean[1];
        CallbackTrap.until(() -> {
            back[0] = own.poll();
            return back[0] || over.getAsBoolean();
        });
        return back[0];
    }

    /** What came back after the wait for it was given up. */
    private static void clearAnswers(DriverQueue own) {
        boolean more = own.poll();
        while (more) {
            more = own.poll();
        }
    }

    int written(long at) {
        return area.u8(at);
    }

    /** Breaks the ring: more is available than there is room for. */
    void breakRing() {
        ring.availableRing().putU16Release(2, ring.availableRing().u16(2) + 1000);
        transport.notifyQueue(0);
    }

    boolean needsReset() {
        return (transport.status() & NEEDS_RESET) != 0;
    }

    String reason() {
        return reason.get();
    }
}
