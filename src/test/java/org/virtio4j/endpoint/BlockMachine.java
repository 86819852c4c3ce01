// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
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
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.fixture.Parked;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.vmm.GuestMemory;

/**
 * A guest with one device and maybe an IOMMU before it. Requests lie in an area that goes over the border of two
 * regions of RAM; behind an IOMMU each of its pages is a mapping of its own, in random order, so that nothing is
 * contiguous by accident.
 */
final class BlockMachine implements AutoCloseable {

    static final int QUEUE_SIZE = 64;

    private static final int ENDPOINT = 8;
    private static final int DOMAIN = 1;
    private static final int READ_WRITE = 3;
    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long BORDER = 0x100_0000;
    static final long RAM_END = 2 * BORDER;
    private static final long DRIVER_RAM = 0x10_0000;
    private static final int AREA = 2 << 20;
    private static final long AREA_IOVA = 0x80_0000_0000L;
    private static final long RING_IOVA = 0x10_0000_0000L;

    /** Where a request lies in the area. */
    private record Place(int writeAt, int writeLength) {
    }

    private final GuestMemory memory = new GuestMemory();
    private final GuestRam ram;
    private final @Nullable VirtioIommu iommu;
    private final @Nullable IommuDriver iommuDriver;
    private final GuestKind.Connection connection;
    private final GuestBuffer area;
    private final QueueMemory[] rings;
    private final DriverQueue[] queues;
    private final Map<Long, Place> out = new HashMap<>();
    private final AtomicInteger interrupts = new AtomicInteger();
    private volatile Runnable onInterrupt = () -> { };
    private VirtioDriver driver;
    private int next;
    private long nextToken;

    BlockMachine(GuestKind kind, VirtioDevice device) {
        this(kind, device, memory -> {
            memory.addAnonymous(0, BORDER);
            memory.addAnonymous(BORDER, RAM_END - BORDER);
        });
    }

    /** A guest whose RAM, from 0 to {@link #RAM_END}, comes from elsewhere. */
    BlockMachine(GuestKind kind, VirtioDevice device, Consumer<GuestMemory> memorySource) {
        memorySource.accept(memory);
        ram = new GuestRam(memory, DRIVER_RAM, RAM_END - DRIVER_RAM);
        Random random = new Random(1);
        if (kind.behindIommu) {
            iommu = VirtioIommu.builder().endpoint(ENDPOINT).bootBypass(false).maxMappings(10_000).build();
            GuestKind.Connection toIommu = GuestKind.overMmio(iommu, DmaSpace.identity(memory), () -> { });
            iommuDriver = new IommuDriver(toIommu.driver(), ram, result -> assertEquals(0, result.status()));
            assertEquals(StartResult.OK, iommuDriver.start());
            iommuDriver.attach(0, DOMAIN, ENDPOINT, 0);
            connection = kind.connect(device, DmaSpace.of(memory, iommu.translator(ENDPOINT)), this::interrupted);
        } else {
            iommu = null;
            iommuDriver = null;
            connection = kind.connect(device, DmaSpace.identity(memory), this::interrupted);
        }
        int count = device.info().queueCount();
        rings = new QueueMemory[count];
        queues = new DriverQueue[count];
        for (int i = 0; i < count; i++) {
            rings[i] = ring(RING_IOVA + i * 0x100_0000L, random);
        }
        ram.allocate(BORDER - AREA / 2 - DRIVER_RAM - (RAM_END - DRIVER_RAM - ram.remaining()), 1);
        area = kind.behindIommu ? mapped(ram.shuffled(AREA_IOVA, AREA, random)) : ram.buffer(AREA, PAGE);
        driver = new VirtioDriver(connection.driver(), FeatureSet.NONE);
    }

    // Bringing the device up

    FeatureSet offered() {
        return FeatureSet.offeredBy(connection.driver());
    }

    BlockMachine start() {
        return start(offered());
    }

    BlockMachine start(FeatureSet features) {
        negotiate(features);
        out.clear();
        for (int i = 0; i < queues.length; i++) {
            enable(i);
        }
        assertEquals(StartResult.OK, driver.driverOk());
        return this;
    }

    /** Enables one queue. */
    void enable(int queue) {
        queues[queue] = driver.queue(queue, rings[queue]);
        assertEquals(StartResult.OK, driver.enable(queues[queue]));
    }

    /** Goes as far as FEATURES_OK. */
    void negotiate(FeatureSet features) {
        driver = new VirtioDriver(connection.driver(), features);
        assertEquals(StartResult.OK, driver.begin());
    }

    // Requests

    /** Sends a request on queue 0 and waits for the answer. */
    DiskReply send(byte[] readable, int writableLength) {
        return send(0, readable, writableLength, Integer.MAX_VALUE);
    }

    /** Sends a request in pieces of one length. */
    DiskReply send(int queue, byte[] readable, int writableLength, int piece) {
        long token = add(queue, readable, writableLength, piece);
        kick(queue);
        DiskReply reply = await(queue);
        assertEquals(token, reply.token());
        return reply;
    }

    /** Adds a request, with no kick; the token tells it again. */
    long add(int queue, byte[] readable, int writableLength, int piece) {
        int readAt = reserve(readable.length);
        int writeAt = reserve(writableLength);
        area.write(readAt, readable, 0, readable.length);
        area.fill(writeAt, writableLength, DiskReply.UNTOUCHED);
        List<Long> addresses = new ArrayList<>();
        List<Long> lengths = new ArrayList<>();
        cut(readAt, readable.length, piece, addresses, lengths);
        int readableCount = addresses.size();
        cut(writeAt, writableLength, piece, addresses, lengths);
        long token = nextToken++;
        out.put(token, new Place(writeAt, writableLength));
        assertTrue(queue(queue).add(token, addresses.stream().mapToLong(address -> address).toArray(),
                lengths.stream().mapToLong(length -> length).toArray(), readableCount,
                addresses.size() - readableCount));
        return token;
    }

    /** Adds a request whose two parts lie where the test says, as the device sees memory. */
    long addAt(int queue, long readAddress, long readLength, long writeAddress, long writeLength) {
        long token = nextToken++;
        out.put(token, new Place(0, 0));
        assertTrue(queue(queue).add(token, readAddress, readLength, writeAddress, writeLength));
        return token;
    }

    void kick(int queue) {
        driver.kick(queue(queue));
    }

    /** The next request that comes back, waited for. */
    DiskReply await(int queue) {
        Parked.until(() -> queue(queue).poll() || queue(queue).failure() != UsedRingFailure.NONE);
        assertEquals(UsedRingFailure.NONE, queue(queue).failure());
        return taken(queue);
    }

    /** The next request that has come back by now. */
    @Nullable DiskReply poll(int queue) {
        boolean back = queue(queue).poll();
        assertEquals(UsedRingFailure.NONE, queue(queue).failure());
        return back ? taken(queue) : null;
    }

    private DiskReply taken(int queue) {
        long token = queue(queue).usedToken();
        Place place = Objects.requireNonNull(out.remove(token));
        byte[] bytes = new byte[place.writeLength];
        area.read(place.writeAt, bytes, 0, bytes.length);
        return new DiskReply(token, queue(queue).usedLength(), bytes);
    }

    // Memory

    /** Where the device sees a place of the area, of which there are 2 MiB. */
    long address(int at) {
        return area.address() + at;
    }

    GuestBuffer area() {
        return area;
    }

    /** Puts bytes before the end of all that the device can reach, and says where it sees them. */
    long atTheEnd(byte[] bytes) {
        GuestBuffer end = iommuDriver == null ? ram.view(RAM_END - bytes.length, bytes.length) : area;
        long at = end.length() - bytes.length;
        end.write(at, bytes, 0, bytes.length);
        return end.address() + at;
    }

    /** A copy of all RAM but what holds rings and requests of the IOMMU: what devices may write. */
    byte[] snapshot() {
        byte[] bytes = new byte[AREA];
        area.read(0, bytes, 0, AREA);
        return bytes;
    }

    void fill(int value) {
        area.fill(0, AREA, value);
    }

    boolean isFilled(int value) {
        byte[] expected = new byte[AREA];
        Arrays.fill(expected, (byte) value);
        return Arrays.equals(expected, snapshot());
    }

    /** Takes the mapping of one page of the area away, and returns when the IOMMU has answered. */
    void unmap(int at) {
        IommuDriver own = Objects.requireNonNull(iommuDriver);
        long page = address(at) & -PAGE;
        own.unmap(0, DOMAIN, page, page + PAGE - 1);
        assertEquals(DriverResult.OK, own.sync());
    }

    // Around it

    DriverTransport transport() {
        return connection.driver();
    }

    VirtioDriver driver() {
        return driver;
    }

    DriverQueue queue(int index) {
        return Objects.requireNonNull(queues[index]);
    }

    VirtioIommu iommu() {
        return Objects.requireNonNull(iommu);
    }

    long config(int offset, int width) {
        return connection.driver().readConfig(offset, width);
    }

    int interrupts() {
        return interrupts.get();
    }

    /** Runs whenever the guest is interrupted, on the thread that does so. */
    void onInterrupt(Runnable action) {
        onInterrupt = action;
    }

    void listener(DeviceListener listener) {
        connection.listener().accept(listener);
    }

    GuestMemory memory() {
        return memory;
    }

    /** What an embedder calls who has exchanged memory. */
    void memoryChanged() {
        connection.memoryChanged().run();
    }

    /** What a thread of the embedder's calls that polls; says how much was given back. */
    int pollDevice() {
        return connection.poll().getAsInt();
    }

    /** Lets the device do DMA or not, where the transport can. */
    void busMastering(boolean on) {
        connection.busMastering().accept(on);
    }

    /** What happens to the device from outside the guest. */
    void reset(ResetKind kind) {
        connection.reset().accept(kind);
    }

    @Override
    public void close() {
        reset(ResetKind.SYSTEM);
        memory.close();
    }

    private void interrupted() {
        interrupts.incrementAndGet();
        onInterrupt.run();
    }

    private QueueMemory ring(long iova, Random random) {
        if (iommuDriver == null) {
            return QueueMemory.compact(ram, QUEUE_SIZE);
        }
        QueueMemory shuffled = QueueMemory.shuffled(ram, QUEUE_SIZE, iova, random);
        mapped(shuffled.descriptorTable());
        mapped(shuffled.availableRing());
        mapped(shuffled.usedRing());
        return shuffled;
    }

    private GuestBuffer mapped(GuestBuffer buffer) {
        IommuDriver own = Objects.requireNonNull(iommuDriver);
        for (long at = 0; at < buffer.length(); at += PAGE) {
            long page = buffer.address() + at;
            assertEquals(DriverResult.OK, own.map(0, DOMAIN, page, page + PAGE - 1, buffer.gpa(at), READ_WRITE));
        }
        assertEquals(DriverResult.OK, own.sync());
        return buffer;
    }

    /** Room for a part of a request at no particular alignment, not overlapping the ones handed out before it. */
    private int reserve(int length) {
        if (next + length > AREA) {
            next = 0;
        }
        int at = next;
        next += length + 7;
        return at;
    }

    private void cut(int at, int length, int piece, List<Long> addresses, List<Long> lengths) {
        for (int done = 0; done < length; done += Math.min(piece, length - done)) {
            addresses.add(address(at + done));
            lengths.add((long) Math.min(piece, length - done));
        }
    }
}
