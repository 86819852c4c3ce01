// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.transport.Port;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.truncation.CutRam.Part;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;

/** A guest with a device, one of whose queues is served while the memory it lies in is cut short. */
abstract class CutGuest implements AutoCloseable {

    private static final int EVENT_IDX = 29;

    final GuestMemory memory = new GuestMemory();
    final CutRam ram;
    final GuestBuffer buffers;
    final Port port;
    VirtioDriver driver;
    DriverQueue queue;

    private final QueueMemory ring;
    private final GuestBuffer tables;
    private final int index;

    CutGuest(Path folder, TransportKind transport, VirtioDevice device, int index, DmaSpaceOf space) {
        this.index = index;
        ram = new CutRam(memory, made(folder), 0);
        ring = ram.queue();
        tables = ram.take(Part.TABLES);
        buffers = ram.take(Part.BUFFERS);
        port = transport.connect(device, space.of(memory), () -> { });
        driver = new VirtioDriver(port.driver(), FeatureSet.NONE);
        queue = new DriverQueue(index, ring, false, tables);
    }

    /** How a device reaches memory. */
    interface DmaSpaceOf {
        DmaSpace of(GuestMemory memory);
    }

    /** Brings the device up on memory that is whole; with tables or without, with EVENT_IDX or without. */
    final void start(boolean indirect, boolean eventIdx) {
        FeatureSet offered = FeatureSet.offeredBy(port.driver());
        driver = new VirtioDriver(port.driver(), eventIdx ? offered : offered.without(EVENT_IDX));
        assertEquals(StartResult.OK, driver.begin());
        queue = new DriverQueue(index, ring, eventIdx, indirect ? tables : null);
        assertEquals(StartResult.OK, driver.enable(queue));
        enableOthers();
        assertEquals(StartResult.OK, driver.driverOk());
        started();
    }

    /** Says why the device needs a reset; empty if it does not. */
    final String failure() {
        boolean needed = (port.driver().status() & DeviceStatus.NEEDS_RESET) != 0;
        return needed ? port.needsResetReason() : "";
    }

    /** Puts work into the queue, and shows it without a kick. */
    abstract void load(Random random);

    /** Has the device look at the queue. */
    abstract void fire();

    /** Whether all work was answered; asks the device, never memory. */
    abstract boolean done();

    /** After a start: does the device work? */
    abstract void verify(Random random);

    /** After a failure, before the reset: has anything come of what was not there? */
    abstract void checkNothingWrong();

    void enableOthers() {
        // Most have one queue.
    }

    void started() {
        // Most are ready then.
    }

    @Override
    public void close() {
        driver.reset();
        memory.close();
    }

    private static Path made(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
