// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.UsedRingFailure;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.transport.Port;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/**
 * A guest with an IOMMU and the devices behind it: RAM, the IOMMU behind a transport, a driver that sends bytes as they
 * are, and a DMA handle for each endpoint. Whatever a test does goes through registers, rings and DMA, as with a real
 * guest.
 */
final class IommuMachine implements AutoCloseable {

    static final int REQUESTS = 0;
    static final int EVENTS = 1;

    /** Here one region of RAM ends and the next begins, and more RAM than {@link #RAM_END} there is not. */
    static final long REGION_BORDER = 0x200_0000;
    static final long RAM_END = 0x400_0000;

    /** Nobody's but the test's: from here to {@link #RAM_END}. */
    static final long FREE_RAM = 0x100_0000;

    private static final long DRIVER_RAM = 0x10_0000;
    private static final int SLOTS = 256;
    private static final int SLOT_SIZE = 1024;
    private static final int AREA = SLOTS * SLOT_SIZE;
    private static final int EVENT_SLOTS = 256;
    private static final int EVENT_SLOT_SIZE = 64;

    private final VirtioIommu iommu;
    private final GuestMemory memory = new GuestMemory();
    private final GuestRam ram;
    private final Port connection;
    private final DriverTransport transport;
    private final Map<Integer, DmaHandle> handles = new HashMap<>();
    private final AtomicInteger interrupts = new AtomicInteger();

    private final QueueMemory requestMemory;
    private final QueueMemory eventMemory;
    private final GuestBuffer readable;
    private final GuestBuffer writable;
    private final GuestBuffer eventArea;

    private VirtioDriver driver;
    private @Nullable DriverQueue requests;
    private @Nullable DriverQueue events;
    private int eventSlot;
    private volatile Runnable onInterrupt = () -> { };

    /** Powers the machine on; its guest has not found the IOMMU yet. */
    IommuMachine(TransportKind kind, VirtioIommu iommu) {
        this(kind, iommu, memory -> {
            memory.addAnonymous(0, REGION_BORDER);
            memory.addAnonymous(REGION_BORDER, RAM_END - REGION_BORDER);
        });
    }

    /** A machine whose two regions of RAM come from elsewhere. */
    IommuMachine(TransportKind kind, VirtioIommu iommu, Consumer<GuestMemory> memorySource) {
        this.iommu = iommu;
        memorySource.accept(memory);
        ram = new GuestRam(memory, DRIVER_RAM, FREE_RAM - DRIVER_RAM);
        connection = kind.connect(iommu, DmaSpace.identity(memory), () -> {
            interrupts.incrementAndGet();
            onInterrupt.run();
        });
        transport = connection.driver();
        driver = new VirtioDriver(transport, FeatureSet.NONE);
        requestMemory = QueueMemory.pageAligned(ram, transport.queueSizeMax(REQUESTS));
        eventMemory = QueueMemory.pageAligned(ram, transport.queueSizeMax(EVENTS));
        readable = ram.buffer(AREA, GuestMemory.PAGE_SIZE);
        writable = ram.buffer(AREA, GuestMemory.PAGE_SIZE);
        eventArea = ram.buffer((long) EVENT_SLOTS * EVENT_SLOT_SIZE, GuestMemory.PAGE_SIZE);
    }

    // The guest's driver

    FeatureSet offered() {
        return FeatureSet.offeredBy(transport);
    }

    /** Brings the device up with every feature it offers. */
    IommuMachine start() {
        return start(offered());
    }

    /** Brings the device up with these features, as far as they are offered. */
    IommuMachine start(FeatureSet features) {
        begin(features);
        requests = driver.queue(REQUESTS, requestMemory);
        return enableAndGo();
    }

    /** The same with every request in an indirect table. */
    IommuMachine startIndirect(int tableSize) {
        begin(offered());
        GuestBuffer tables = ram.buffer(16L * tableSize * requestMemory.size(), 16);
        boolean eventIdx = driver.negotiated().has(29);
        requests = new DriverQueue(REQUESTS, requestMemory, eventIdx, tables);
        return enableAndGo();
    }

    /** The same as {@link #start()}, with something that happens between enabling the queues and DRIVER_OK. */
    IommuMachine startAfter(Runnable before) {
        begin(offered());
        requests = driver.queue(REQUESTS, requestMemory);
        assertEquals(StartResult.OK, driver.enable(requests()));
        before.run();
        assertEquals(StartResult.OK, driver.driverOk());
        return this;
    }

    private void begin(FeatureSet features) {
        driver = new VirtioDriver(transport, features);
        assertEquals(StartResult.OK, driver.begin());
    }

    private IommuMachine enableAndGo() {
        DriverQueue eventQueue = driver.queue(EVENTS, eventMemory);
        assertEquals(StartResult.OK, driver.enable(requests()));
        assertEquals(StartResult.OK, driver.enable(eventQueue));
        assertEquals(StartResult.OK, driver.driverOk());
        events = eventQueue;
        eventSlot = 0;
        return this;
    }

    /** Sends one request and expects it back by the time the kick returns. */
    Reply send(byte[] request, int writableLength) {
        place(0, request, writableLength);
        add(0, request, writableLength);
        return kickAndTake(1, writableLength).getFirst();
    }

    /** Sends a request with as much room as its type asks for, but PROBE. */
    Reply send(byte[] request) {
        return send(request, Spec.TAIL);
    }

    /** The status of a request that is expected to touch nothing but its tail. */
    int status(byte[] request) {
        Reply reply = send(request);
        Reply.assertStatus(reply.status(), reply);
        return reply.status();
    }

    /** Sends a request that must be answered with OK, to set a test up. */
    void ok(byte[] request) {
        Reply.assertStatus(Spec.OK, send(request));
    }

    /** Sends several requests with one kick. */
    List<Reply> sendAll(List<byte[]> several) {
        for (int i = 0; i < several.size(); i++) {
            place(i, several.get(i), Spec.TAIL);
            add(i, several.get(i), Spec.TAIL);
        }
        return kickAndTake(several.size(), Spec.TAIL);
    }

    /** Sends a request in pieces that lie apart, at addresses of no alignment. */
    Reply sendPieces(byte[] request, int[] readablePieces, int writableLength, int[] writablePieces) {
        int count = readablePieces.length + writablePieces.length;
        long[] addresses = new long[count];
        long[] lengths = new long[count];
        spread(readable, readablePieces, addresses, lengths, 0);
        spread(writable, writablePieces, addresses, lengths, readablePieces.length);
        int done = 0;
        for (int i = 0; i < readablePieces.length; i++) {
            readable.write(addresses[i] - readable.address(), request, done, readablePieces[i]);
            done += readablePieces[i];
        }
        writable.fill(0, writable.length(), Reply.UNTOUCHED);
        return sendAt(addresses, lengths, readablePieces.length, writableLength);
    }

    /** Sends a request whose bytes are in place already. */
    Reply sendAt(long[] addresses, long[] lengths, int readableCount, int writableLength) {
        assertTrue(requests().add(0, addresses, lengths, readableCount, addresses.length - readableCount));
        driver.kick(requests());
        assertTrue(requests().poll(), "not answered by the end of the kick");
        byte[] bytes = new byte[writableLength];
        int done = 0;
        for (int i = readableCount; i < addresses.length; i++) {
            ram.view(addresses[i], Math.max(1, lengths[i])).read(0, bytes, done, (int) lengths[i]);
            done += (int) lengths[i];
        }
        return new Reply(requests().usedLength(), bytes);
    }

    /** Puts a request's bytes into one of the slots, 0 to 255. */
    void place(int slot, byte[] request, int writableLength) {
        long at = (long) slot * SLOT_SIZE;
        readable.write(at, request, 0, request.length);
        writable.fill(at, Math.max(writableLength, SLOT_SIZE), Reply.UNTOUCHED);
    }

    /** Adds what is in a slot to the queue; {@link DriverQueue#publish} makes it visible. */
    void add(int slot, byte[] request, int writableLength) {
        long at = (long) slot * SLOT_SIZE;
        long from = request.length == 0 ? 0 : readable.address() + at;
        assertTrue(requests().add(slot, from, request.length, writable.address() + at, writableLength));
    }

    /** The same with an answer that goes elsewhere. */
    void addAnsweredAt(int slot, byte[] request, long answer, int length) {
        long from = readable.address() + (long) slot * SLOT_SIZE;
        assertTrue(requests().add(slot, from, request.length, answer, length));
    }

    /** What is in a slot now that the queue has given it back. */
    Reply take(int writableLength) {
        byte[] bytes = new byte[writableLength];
        writable.read(requests().usedToken() * SLOT_SIZE, bytes, 0, writableLength);
        return new Reply(requests().usedLength(), bytes);
    }

    /** Uses the memory of all answers for something else. */
    void poisonAnswers(int value) {
        writable.fill(0, writable.length(), value);
    }

    boolean answersArePoisoned(int value) {
        for (int slot = 0; slot < SLOTS; slot++) {
            if (writable.i32((long) slot * SLOT_SIZE) != (value * 0x0101_0101)) {
                return false;
            }
        }
        return true;
    }

    /** The status that lies in a slot, at the start of its writable part or behind so many bytes of properties. */
    int statusIn(int slot, int properties) {
        return writable.u8((long) slot * SLOT_SIZE + properties);
    }

    private List<Reply> kickAndTake(int count, int writableLength) {
        driver.kick(requests());
        List<Reply> replies = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            assertTrue(requests().poll(), "not answered by the end of the kick");
            assertEquals(i, requests().usedToken());
            replies.add(take(writableLength));
        }
        assertEquals(UsedRingFailure.NONE, requests().failure());
        return replies;
    }

    private static void spread(GuestBuffer area, int[] pieces, long[] addresses, long[] lengths, int first) {
        long at = 1;
        for (int i = 0; i < pieces.length; i++) {
            addresses[first + i] = area.address() + at;
            lengths[first + i] = pieces[i];
            at += pieces[i] + 3;
        }
    }

    /** Gives the device buffers for events, without a kick. */
    void addEventBuffers(int count, int size) {
        for (int i = 0; i < count; i++) {
            long at = (long) eventSlot * EVENT_SLOT_SIZE;
            eventArea.fill(at, EVENT_SLOT_SIZE, Reply.UNTOUCHED);
            assertTrue(events().add((long) eventSlot << 32 | size, 0, 0, eventArea.address() + at, size));
            eventSlot = (eventSlot + 1) % EVENT_SLOTS;
        }
        events().publish();
    }

    /** The event buffers that came back since the last call. */
    List<Reply> takeEvents() {
        List<Reply> taken = new ArrayList<>();
        while (events().poll()) {
            int size = (int) events().usedToken();
            byte[] bytes = new byte[size];
            eventArea.read((events().usedToken() >>> 32) * EVENT_SLOT_SIZE, bytes, 0, size);
            taken.add(new Reply(events().usedLength(), bytes));
        }
        assertEquals(UsedRingFailure.NONE, events().failure());
        return taken;
    }

    /** Resets the device as a driver does. */
    void resetDevice() {
        assertEquals(StartResult.OK, driver.reset());
    }

    int bypass() {
        return (int) transport.readConfig(Spec.CONFIG_BYPASS, 1);
    }

    void writeBypass(int value) {
        transport.writeConfig(Spec.CONFIG_BYPASS, 1, value);
    }

    // The devices behind the IOMMU

    /** What an endpoint's DMA to an address would do just now. */
    Seen see(int endpoint, long iova, Access access) {
        return Seen.of(iommu.translator(endpoint), iova, access);
    }

    /** The handle of an endpoint, opened when it is first asked for. */
    DmaHandle dma(int endpoint) {
        return handles.computeIfAbsent(endpoint, id ->
                DmaSpace.of(memory, iommu.translator(id)).open("endpoint " + id));
    }

    /** Lets an endpoint touch one address, in a section of its own, so that a fault is reported when this returns. */
    void touch(int endpoint, long iova, Access access) {
        DmaHandle handle = dma(endpoint);
        handle.enter();
        handle.translate(iova, access, (virtStart, virtEnd, physStart, permitted) -> { });
        handle.leave();
    }

    // Around them

    /** What happens from outside the guest. */
    void reset(ResetKind kind) {
        connection.reset(kind);
    }

    /** What an embedder calls who has exchanged memory. */
    void memoryChanged() {
        connection.memoryChanged();
    }

    /** What a thread of the embedder's calls that polls; says how much was given back. */
    int pollDevice() {
        return connection.poll();
    }

    /** Why the IOMMU needs a reset. */
    String needsResetReason() {
        return connection.needsResetReason();
    }

    /** Runs whenever the guest is interrupted, on the thread that does so. */
    void onInterrupt(Runnable action) {
        onInterrupt = action;
    }

    int interrupts() {
        return interrupts.get();
    }

    VirtioIommu iommu() {
        return iommu;
    }

    GuestMemory memory() {
        return memory;
    }

    GuestRam ram() {
        return ram;
    }

    DriverTransport transport() {
        return transport;
    }

    VirtioDriver driver() {
        return driver;
    }

    DriverQueue requests() {
        return started(requests);
    }

    DriverQueue events() {
        return started(events);
    }

    private static DriverQueue started(@Nullable DriverQueue queue) {
        if (queue == null) {
            throw new IllegalStateException("queue=none; start the machine first");
        }
        return queue;
    }

    /** Sets RAM to one value. */
    void fill(long gpa, long size, int value) {
        ram.view(gpa, size).fill(0, size, value);
    }

    /** Whether RAM has one value throughout. */
    boolean isFilled(long gpa, int size, int value) {
        byte[] bytes = new byte[size];
        byte[] expected = new byte[size];
        ram.view(gpa, size).read(0, bytes, 0, size);
        Arrays.fill(expected, (byte) value);
        return Arrays.equals(bytes, expected);
    }

    @Override
    public void close() {
        for (DmaHandle handle : handles.values()) {
            if (!isOutside(handle)) {
                return;
            }
        }
        handles.values().forEach(DmaHandle::close);
        memory.close();
    }

    /**
     * A test that failed inside a section must not keep the others waiting for its end. If it had a thread of its own,
     * nobody can leave the section any more, and memory stays.
     */
    private static boolean isOutside(DmaHandle handle) {
        try {
            handle.enter();
        } catch (IllegalStateException inside) {
            return false;
        }
        handle.leave();
        return true;
    }
}
