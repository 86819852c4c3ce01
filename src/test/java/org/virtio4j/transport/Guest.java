// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** RAM, a small device behind a transport, and a driver that can do everything wrong. */
final class Guest implements AutoCloseable {

    static final int NO_DRIVER = 0;
    static final int FOUND = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER;
    static final int NEGOTIATED = FOUND | DeviceStatus.FEATURES_OK;
    static final int RUNNING = NEGOTIATED | DeviceStatus.DRIVER_OK;

    static final long PAGE = GuestMemory.PAGE_SIZE;
    static final int PAGES = 256;

    /** Above 4 GiB, so that both halves of each address count. */
    static final long RAM = 0x12_3450_0000L;

    final GuestMemory memory = GuestMemory.anonymous(RAM, PAGES * PAGE);
    final @Nullable PageTable table;
    final GuestBytes ram;
    final RecordingDevice device;
    final Port port;
    final DriverTransport driver;

    private Guest(TransportKind kind, @Nullable PageTable table, RecordingDevice device) {
        this.table = table;
        this.ram = new GuestBytes(memory, table);
        this.device = device;
        DmaSpace space = table == null ? DmaSpace.identity(memory) : DmaSpace.of(memory, table);
        this.port = kind.connect(device, space, () -> { });
        this.driver = port.driver();
    }

    static Guest identity(TransportKind kind) {
        return new Guest(kind, null, new RecordingDevice());
    }

    static Guest withDevice(TransportKind kind, RecordingDevice device) {
        return new Guest(kind, null, device);
    }

    static Guest behindTable(TransportKind kind) {
        return new Guest(kind, PageTable.shuffled(RAM, RAM, PAGES, new Random(1)), new RecordingDevice());
    }

    @Override
    public void close() {
        port.interrupts().letGo();
        port.reset(ResetKind.SYSTEM);
        memory.close();
    }

    // What a driver does

    int status() {
        return driver.status();
    }

    void writeStatus(int status) {
        driver.writeStatus(status);
    }

    void kick(int queue) {
        port.notifyQueue(queue);
    }

    /** Goes as far as FEATURES_OK with VERSION_1, ACCESS_PLATFORM where it is offered, and the bits named. */
    void negotiate(int... bits) {
        writeStatus(DeviceStatus.ACKNOWLEDGE);
        writeStatus(FOUND);
        Features wanted = Features.of(bits).with(FeatureBit.VERSION_1);
        accept(table == null ? wanted : wanted.with(FeatureBit.ACCESS_PLATFORM));
        writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, status());
    }

    /** Writes all four feature words. */
    void accept(Features features) {
        for (int word = 0; word < Features.WORDS; word++) {
            driver.acceptFeatures(word, features.word(word));
        }
    }

    /** A fresh ring in pages of its own: another {@code place} for another ring. */
    DriverRing ring(int place, int size) {
        long start = RAM + 16L * place * PAGE;
        ram.fill(start, 16 * PAGE, 0);
        return new DriverRing(ram, size, start, start + 2 * PAGE, start + 4 * PAGE);
    }

    /** A page for buffers that no ring of {@link #ring} lies in. */
    static long buffer(int index) {
        return RAM + (PAGES - 1 - index) * PAGE;
    }

    /** Names the ring to a queue and enables it. */
    void enable(int queue, DriverRing ring) {
        driver.enableQueue(queue, ring.size(), ring.descriptors(), ring.available(), ring.used());
    }

    /** Names the ring to a queue and no more. */
    void place(int queue, DriverRing ring) {
        port.writeAddress(queue, QueueArea.DESCRIPTOR, ring.descriptors());
        port.writeAddress(queue, QueueArea.DRIVER, ring.available());
        port.writeAddress(queue, QueueArea.DEVICE, ring.used());
    }

    /** Brings the device up with a ring of 8 entries on queue 0. */
    DriverRing run(int... bits) {
        negotiate(bits);
        DriverRing ring = ring(0, 8);
        enable(0, ring);
        writeStatus(RUNNING);
        assertEquals(RUNNING, status());
        return ring;
    }

    /** Makes a writable buffer of 8 bytes available at the head, without a kick. */
    static void offer(DriverRing ring, int head) {
        ring.descriptor(head, DriverRing.Buffer.writable(buffer(head), 8));
        ring.offer(head);
    }

    // What a driver sees

    /** Exactly one interrupt has come since the last time, for this event; none for 0. */
    void assertInterrupts(int event) {
        assertEquals(event, port.takeInterrupts());
        assertEquals(Integer.bitCount(event), port.interrupts().take());
    }

    /** Clears what has come. */
    void dropInterrupts() {
        port.takeInterrupts();
        port.interrupts().take();
    }

    /** What a queue reads back, where anything does. */
    void assertSettings(int queue, int size, long descriptors, long available, long used) {
        if (port.shows(Register.QUEUE_SIZE)) {
            assertEquals(size, port.read(queue, Register.QUEUE_SIZE));
        }
        assertAddress(queue, QueueArea.DESCRIPTOR, descriptors);
        assertAddress(queue, QueueArea.DRIVER, available);
        assertAddress(queue, QueueArea.DEVICE, used);
    }

    private void assertAddress(int queue, QueueArea area, long address) {
        if (port.shows(Register.low(area))) {
            assertEquals(address, port.readAddress(queue, area));
        }
    }
}
