// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.vmm.grace.StallListener;

/** A guest with one PCI function: its accesses, its memory, and all interrupts that reach it. */
final class PciGuest implements AutoCloseable {

    static final int MSIX_BAR = 1;
    static final int VIRTIO_BAR = 4;
    static final int REQUESTER = 0x48;
    static final long DOORBELL = 0xfee0_0000L;
    static final long RAM = 0x10_0000L;
    static final int SIZE = 8;
    static final int ON = PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER;

    /** A message as it arrived at the doorbell. */
    record Message(int requester, long address, int data) {
    }

    final GuestMemory memory;
    final GuestBytes ram;
    final RecordingDevice device;
    final List<Message> messages = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> vectors = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> withdrawn = Collections.synchronizedList(new ArrayList<>());

    /** Runs in each message and each vector, before it is written down, and when a vector is withdrawn. */
    volatile Runnable inDelivery = () -> { };
    final List<Boolean> levels = new ArrayList<>();
    final VirtioPciFunction function;
    final long common;
    final long notify;
    final long isr;
    final long config;

    private final class Vectors implements InterruptSink {
        @Override
        public void raise(int vector) {
            inDelivery.run();
            vectors.add(vector);
        }

        @Override
        public void withdraw(int vector) {
            inDelivery.run();
            withdrawn.add(vector);
        }
    }

    private PciGuest(RecordingDevice device, boolean ownTable, PciOptions options) {
        this(device, ownTable, options, new GuestMemory());
    }

    private PciGuest(RecordingDevice device, boolean ownTable, PciOptions options, GuestMemory empty) {
        this.device = device;
        memory = empty;
        memory.addAnonymous(RAM, 1 << 20);
        ram = new GuestBytes(memory, null);
        for (int i = 0; i < RecordingDevice.CONFIG_SIZE; i++) {
            device.config[i] = (byte) (0x80 + i);
        }
        memory.addDoorbell(DOORBELL, 0x1000, (requester, address, data) -> {
            inDelivery.run();
            messages.add(new Message(requester, address, data));
        });
        PciInterrupts routes = ownTable ? PciInterrupts.messages(levels::add)
                : PciInterrupts.vectors(new Vectors(), levels::add);
        function = VirtioPciFunction.of(device, DmaSpace.identity(memory, REQUESTER), routes, options);
        common = structure(PciSpec.CFG_COMMON);
        notify = structure(PciSpec.CFG_NOTIFY);
        isr = structure(PciSpec.CFG_ISR);
        config = structure(PciSpec.CFG_DEVICE);
    }

    /** A function that sends messages, found but not touched by its guest. */
    static PciGuest sendingMessages(int... features) {
        return new PciGuest(new RecordingDevice(Features.of(features)), true, PciOptions.DEFAULT);
    }

    static PciGuest with(PciOptions options) {
        return new PciGuest(new RecordingDevice(Features.NONE), true, options);
    }

    /** One whose embedder hears of sections that do not end. */
    static PciGuest hearingOfStalls(StallListener listener) {
        return new PciGuest(new RecordingDevice(Features.NONE), true, PciOptions.DEFAULT, new GuestMemory(listener));
    }

    /** A function whose vectors the embedder delivers. */
    static PciGuest handingOverVectors() {
        return new PciGuest(new RecordingDevice(Features.NONE), false, PciOptions.DEFAULT);
    }

    @Override
    public void close() {
        function.reset(ResetKind.SYSTEM);
        memory.close();
    }

    // Configuration space

    int read(int offset, int width) {
        return (int) function.readConfig(offset, width);
    }

    void write(int offset, int width, int value) {
        function.writeConfig(offset, width, value & 0xffff_ffffL);
    }

    void command(int bits) {
        write(PciSpec.COMMAND, 2, bits);
    }

    boolean interruptStatus() {
        return (read(PciSpec.STATUS, 2) & PciSpec.INTERRUPT_STATUS) != 0;
    }

    /** Where the capabilities lie, in the order of the list. */
    List<Integer> capabilities() {
        List<Integer> places = new ArrayList<>();
        for (int at = read(0x34, 1); at != 0; at = read(at + 1, 1)) {
            assertFalse(places.contains(at), "the list goes round in a circle");
            places.add(at);
        }
        return places;
    }

    int capability(int id) {
        return capabilities().stream().filter(at -> read(at, 1) == id).findFirst().orElseThrow();
    }

    int virtioCapability(int type) {
        return capabilities().stream().filter(at -> read(at, 1) == PciSpec.CAP_VENDOR && read(at + 3, 1) == type)
                .findFirst().orElseThrow();
    }

    private long structure(int type) {
        int at = virtioCapability(type);
        assertEquals(VIRTIO_BAR, read(at + 4, 1));
        return read(at + 8, 4);
    }

    void functionReset() {
        int control = capability(PciSpec.CAP_EXPRESS) + 8;
        write(control, 2, read(control, 2) | 0x8000);
    }

    /** 0 for on, 3 for D3hot. */
    void powerState(int state) {
        write(capability(PciSpec.CAP_POWER) + 4, 2, state);
    }

    // MSI-X

    void messageControl(int bits) {
        write(capability(PciSpec.CAP_MSIX) + 2, 2, bits);
    }

    /** Points a vector at the doorbell, unmasked, with its own data. */
    void point(int vector) {
        entry(vector, DOORBELL + 16L * vector, 0x4000 + vector, 0);
    }

    void entry(int vector, long address, int data, int control) {
        long at = 16L * vector;
        writeTable(at, 4, address);
        writeTable(at + 4, 4, address >>> 32);
        writeTable(at + 8, 4, data);
        writeTable(at + 12, 4, control);
    }

    void mask(int vector, boolean masked) {
        writeTable(16L * vector + 12, 4, masked ? 1 : 0);
    }

    void writeTable(long offset, int width, long value) {
        function.writeBar(MSIX_BAR, offset, width, value);
    }

    long readTable(long offset, int width) {
        return function.readBar(MSIX_BAR, offset, width);
    }

    /** The first 64 pending bits. */
    long pending() {
        return readTable(read(capability(PciSpec.CAP_MSIX) + 8, 4) & ~7L, 8);
    }

    static Message message(int vector) {
        return new Message(REQUESTER, DOORBELL + 16L * vector, 0x4000 + vector);
    }

    // Common configuration

    long get(int field, int width) {
        return function.readBar(VIRTIO_BAR, common + field, width);
    }

    void put(int field, int width, long value) {
        function.writeBar(VIRTIO_BAR, common + field, width, value);
    }

    void select(int queue) {
        put(PciSpec.QUEUE_SELECT, 2, queue);
    }

    int isr() {
        return (int) function.readBar(VIRTIO_BAR, isr, 1);
    }

    void kick(int queue) {
        function.writeBar(VIRTIO_BAR, notify + 4L * queue, 2, queue);
    }

    // A driver

    /** Switches on, resets the device and goes as far as FEATURES_OK, with VERSION_1 and more of word 1. */
    void negotiate(int bitsOfWord1) {
        command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
        put(PciSpec.DEVICE_STATUS, 1, 0);
        put(PciSpec.DEVICE_STATUS, 1, 1);
        put(PciSpec.DEVICE_STATUS, 1, 3);
        put(PciSpec.DRIVER_FEATURE_SELECT, 4, 1);
        put(PciSpec.DRIVER_FEATURE, 4, 1 | bitsOfWord1);
        put(PciSpec.DEVICE_STATUS, 1, 11);
        assertEquals(11, get(PciSpec.DEVICE_STATUS, 1));
    }

    /** Brings the device up with both queues. */
    DriverRing start() {
        negotiate(1 << (40 - 32));
        DriverRing ring = enable(0);
        enable(1);
        put(PciSpec.DEVICE_STATUS, 1, PciSpec.RUNNING);
        device.take();
        return ring;
    }

    DriverRing enable(int queue) {
        long base = RAM + queue * 0x1_0000L;
        ram.fill(base, 0x3000, 0);
        select(queue);
        put(PciSpec.QUEUE_SIZE, 2, SIZE);
        address(PciSpec.QUEUE_DESC, base);
        address(PciSpec.QUEUE_DRIVER, base + 0x1000);
        address(PciSpec.QUEUE_DEVICE, base + 0x2000);
        put(PciSpec.QUEUE_ENABLE, 2, 1);
        assertEquals(1, get(PciSpec.QUEUE_ENABLE, 2));
        return new DriverRing(ram, SIZE, base, base + 0x1000, base + 0x2000);
    }

    private void address(int field, long address) {
        put(field, 4, address & 0xffff_ffffL);
        put(field + 4, 4, address >>> 32);
    }

    static void offer(DriverRing ring, int head) {
        ring.descriptor(head, Buffer.writable(RAM + 0x8_0000, 16));
        ring.offer(head);
    }

    DeviceContext context() {
        return device.active();
    }

    List<Message> takeMessages() {
        List<Message> taken = List.copyOf(messages);
        messages.clear();
        return taken;
    }

    /** MSI-X on, vector 0 for the configuration and 1 and 2 for the queues, each at the doorbell. */
    void useMessages() {
        messageControl(PciSpec.MSIX_ENABLE);
        put(PciSpec.CONFIG_MSIX_VECTOR, 2, 0);
        for (int queue = 0; queue < 2; queue++) {
            map(queue, queue + 1);
        }
        for (int vector = 0; vector < 3; vector++) {
            point(vector);
        }
    }

    void map(int queue, int vector) {
        select(queue);
        put(PciSpec.QUEUE_MSIX_VECTOR, 2, vector);
    }

    void resetQueue(int queue) {
        select(queue);
        put(PciSpec.QUEUE_RESET, 2, 1);
    }

    /** What the pin was set to last. */
    boolean pin() {
        return !levels.isEmpty() && levels.getLast();
    }
}
