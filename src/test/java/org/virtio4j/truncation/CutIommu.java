// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.vmm.Access;

/**
 * An IOMMU whose requests or whose event buffers are cut off. Every MAP leads from a page to the same one, a constant
 * higher, so that a request read from nowhere shows in the mappings.
 */
final class CutIommu extends CutGuest {

    private static final int ENDPOINT = 8;
    private static final int DOMAIN = 1;
    private static final int ATTACH = 1;
    private static final int MAP = 3;
    private static final int REQUESTS = 0;
    private static final int EVENTS = 1;
    private static final long OTHER_RAM = 0x100_0000;
    private static final long PAGE = 0x1000;
    private static final long BORDER = 0x4000_0000_0000L;
    private static final long HIGHER = 0x20_0000_0000L;
    private static final int SLOT = 256;
    private static final int ANSWER = 128;
    private static final int TAIL = 4;
    private static final int EVENT = 24;
    private static final int BATCH = CutRam.ENTRIES / 2;

    private final VirtioIommu iommu;
    private final boolean events;
    private final QueueMemory otherRing;
    private final GuestBuffer otherBuffers;
    private final DmaHandle device;

    /** The pages whose mapping was asked for since the last start. */
    private final Set<Integer> asked = new TreeSet<>();
    private DriverQueue other;
    private long faults;

    private CutIommu(Path folder, TransportKind transport, VirtioIommu iommu, boolean events) {
        super(folder, transport, iommu, events ? EVENTS : REQUESTS, DmaSpace::identity);
        this.iommu = iommu;
        this.events = events;
        memory.addAnonymous(OTHER_RAM, OTHER_RAM);
        GuestRam otherRam = new GuestRam(memory, OTHER_RAM, OTHER_RAM);
        otherRing = QueueMemory.pageAligned(otherRam, CutRam.ENTRIES);
        otherBuffers = otherRam.buffer(PAGE, PAGE);
        other = new DriverQueue(events ? REQUESTS : EVENTS, otherRing, false);
        device = DmaSpace.of(memory, iommu.translator(ENDPOINT)).open("a device behind the IOMMU");
    }

    static CutIommu of(Path folder, TransportKind transport, boolean events) {
        return new CutIommu(folder, transport, VirtioIommu.builder().endpoint(ENDPOINT).bootBypass(false)
                .queueSizes(CutRam.ENTRIES, CutRam.ENTRIES).build(), events);
    }

    @Override
    void enableOthers() {
        other = driver.queue(events ? REQUESTS : EVENTS, otherRing);
        assertEquals(StartResult.OK, driver.enable(other));
    }

    @Override
    void started() {
        assertEquals(0, iommu.liveMappings());
        assertEquals(0, send(attach()));
    }

    @Override
    void load(Random random) {
        for (int i = 0; i < BATCH; i++) {
            long at = buffers.address() + (long) i * SLOT;
            if (events) {
                assertTrue(queue.add(i, new long[] {at, at + EVENT / 2}, new long[] {EVENT / 2, EVENT / 2}, 0, 2));
            } else {
                byte[] request = map(random.nextInt(1 << 20));
                buffers.write((long) i * SLOT, request, 0, request.length);
                assertTrue(queue.add(i, at, request.length, at + ANSWER, TAIL));
            }
        }
        queue.publish();
    }

    /** Of events: accesses that fault, each in a section of its own, as a device would make them. */
    @Override
    void fire() {
        if (!events) {
            port.notifyQueue(REQUESTS);
            return;
        }
        for (int i = 0; i < BATCH; i++) {
            faults++;
            long page = BORDER + faults * PAGE;
            device.enter();
            assertEquals(TranslateResult.NO_MAPPING,
                    device.translate(page, Access.READ, (virtStart, virtEnd, physStart, permitted) -> { }));
            device.leave();
        }
    }

    /** Both kinds are served by the time {@link #fire} returns. */
    @Override
    boolean done() {
        return true;
    }

    @Override
    void verify(Random random) {
        int page = random.nextInt(1 << 20);
        long before = iommu.liveMappings();
        int status = send(map(page));
        assertTrue(status == 0 || status == 4, () -> "MAP is answered with " + status);
        assertEquals(before + (status == 0 ? 1 : 0), iommu.liveMappings());
        checkNothingWrong();
    }

    @Override
    void checkNothingWrong() {
        assertTrue(iommu.liveDomains() <= 1);
        long found = 0;
        device.enter();
        try {
            for (int page : asked) {
                boolean[] right = {true};
                TranslateResult result = device.translate(page * PAGE, Access.READ, (start, end, physical, permitted) ->
                        right[0] = physical - start == HIGHER && end - start == PAGE - 1);
                assertTrue(right[0], "page " + page);
                found += result == TranslateResult.OK ? 1 : 0;
            }
        } finally {
            device.leave();
        }
        assertEquals(found, iommu.liveMappings());
    }

    @Override
    public void close() {
        device.close();
        super.close();
        iommu.close();
    }

    /** Through the queue that is whole or is used while all is. */
    private int send(byte[] request) {
        DriverQueue requests = events ? other : queue;
        GuestBuffer place = events ? otherBuffers : buffers;
        place.write(0, request, 0, request.length);
        place.putI32(ANSWER, -1);
        assertTrue(requests.add(0, place.address(), request.length, place.address() + ANSWER, TAIL));
        driver.kick(requests);
        assertTrue(requests.poll(), this::failure);
        return place.u8(ANSWER);
    }

    private byte[] attach() {
        asked.clear();
        return request(24, ATTACH).putInt(DOMAIN).putInt(ENDPOINT).array();
    }

    private byte[] map(int page) {
        asked.add(page);
        long start = page * PAGE;
        return request(36, MAP).putInt(DOMAIN).putLong(start).putLong(start + PAGE - 1).putLong(start + HIGHER)
                .putInt(3).array();
    }

    private static ByteBuffer request(int size, int type) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).putInt(type);
    }
}
