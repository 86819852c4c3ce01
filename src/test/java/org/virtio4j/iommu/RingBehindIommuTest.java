// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.transport.Port;
import org.virtio4j.vmm.GuestMemory;

/**
 * A virtio device whose ring and buffers lie behind the IOMMU, in physical pages of random order. The device is another
 * IOMMU, since this is what there is; what it does with its requests does not matter here.
 */
class RingBehindIommuTest extends IommuTests {

    private static final int SIZE = 1024;
    private static final int NEEDS_RESET = 64;
    private static final int POISON = 0xee;
    private static final long RING = 0x7654_0000_0000L;
    private static final long BUFFER = 0x1_2345_6000L;

    @Test
    @DisplayName("A ring of 1,024 entries in shuffled pages is served many times round")
    void shouldServeRingInShuffledPages() {
        Behind behind = new Behind();
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < SIZE / 2; i++) {
                behind.add();
            }
            assertEquals(SIZE / 2, behind.kick());
        }
        assertEquals(0, behind.status() & NEEDS_RESET);
    }

    @Test
    @DisplayName("UNMAP under a live ring: the device does not touch the page any more, and needs a reset")
    void shouldNotTouchRingWhenItIsUnmapped() {
        Behind behind = new Behind();
        behind.add();
        assertEquals(1, behind.kick());
        GuestBuffer used = behind.queue.memory().usedRing();
        behind.front.ok(Requests.unmap(ONE, used.address() & -GuestMemory.PAGE_SIZE,
                (used.address() + used.length() - 1) | (GuestMemory.PAGE_SIZE - 1)));
        behind.add();
        used.fill(0, used.length(), POISON);
        behind.notifyDevice();
        for (long i = 0; i < used.length(); i++) {
            assertEquals(POISON, used.u8(i));
        }
        assertEquals(NEEDS_RESET, behind.status() & NEEDS_RESET);
        behind.map(used);
        behind.start();
        behind.add();
        assertEquals(1, behind.kick());
    }

    @Test
    @DisplayName("A page of the ring that is mapped to another physical page is used there")
    void shouldFollowRingWhenItIsMappedElsewhere() {
        Behind behind = new Behind();
        behind.add();
        assertEquals(1, behind.kick());
        long iova = behind.queue.memory().usedRing().address() & -GuestMemory.PAGE_SIZE;
        long old = behind.queue.memory().usedRing().gpa(0) & -GuestMemory.PAGE_SIZE;
        // The guest copies the page, as it would to migrate it, and changes the mapping in one batch.
        for (long at = 0; at < GuestMemory.PAGE_SIZE; at += Long.BYTES) {
            behind.front.ram().putI64(IommuMachine.FREE_RAM + at, behind.front.ram().i64(old + at));
        }
        behind.front.fill(old, GuestMemory.PAGE_SIZE, POISON);
        behind.front.sendAll(List.of(Requests.unmap(ONE, iova, iova + GuestMemory.PAGE_SIZE - 1),
                Requests.map(ONE, iova, iova + GuestMemory.PAGE_SIZE - 1, IommuMachine.FREE_RAM)));
        behind.add();
        behind.queue.publish();
        behind.notifyDevice();
        assertTrue(behind.front.isFilled(old, (int) GuestMemory.PAGE_SIZE, POISON));
        // Index, then the second element, which says that the answer has 4 bytes.
        assertEquals(2, behind.front.ram().u8(IommuMachine.FREE_RAM + 2));
        assertEquals(4, behind.front.ram().u8(IommuMachine.FREE_RAM + 4 + 8 + 4));
        assertFalse(behind.queue.poll(), "the old page says nothing new");
    }

    /** A device behind the IOMMU of a machine, and its driver. */
    private final class Behind {

        private final IommuMachine front = powerOn(iommu()).start();
        private final Port connection = transport.connect(
                VirtioIommu.builder().endpoint(1).queueSizes(SIZE, 8).maxMappings(100).build(),
                DmaSpace.of(front.memory(), front.iommu().translator(DISK)), () -> { });
        private final VirtioDriver driver;
        private final QueueMemory memory;
        private final GuestBuffer buffer;
        private DriverQueue queue;

        Behind() {
            Random random = new Random(Seeds.next());
            memory = QueueMemory.shuffled(front.ram(), SIZE, RING, random);
            buffer = front.ram().shuffled(BUFFER, 3 * GuestMemory.PAGE_SIZE, random);
            front.ok(Requests.attach(ONE, DISK));
            map(memory.descriptorTable());
            map(memory.availableRing());
            map(memory.usedRing());
            map(buffer);
            driver = new VirtioDriver(connection.driver(), FeatureSet.offeredBy(connection.driver()));
            queue = new DriverQueue(0, memory, true);
            start();
        }

        void start() {
            assertEquals(StartResult.OK, driver.begin());
            queue = driver.queue(0, memory);
            assertEquals(StartResult.OK, driver.enable(queue));
            assertEquals(StartResult.OK, driver.driverOk());
        }

        void map(GuestBuffer part) {
            List<byte[]> batch = new ArrayList<>();
            long first = part.address() & -GuestMemory.PAGE_SIZE;
            for (long page = first; page - part.address() < part.length(); page += GuestMemory.PAGE_SIZE) {
                long offset = Math.max(0, page - part.address());
                long gpa = part.gpa(offset) & -GuestMemory.PAGE_SIZE;
                batch.add(Requests.map(ONE, page, page + GuestMemory.PAGE_SIZE - 1, gpa));
            }
            for (Reply reply : front.sendAll(batch)) {
                Reply.assertStatus(Spec.OK, reply);
            }
        }

        /** A request that runs over the border of two pages, and an answer that does. */
        void add() {
            byte[] request = Requests.attach(ONE, 1);
            long from = GuestMemory.PAGE_SIZE - 7;
            long to = 2 * GuestMemory.PAGE_SIZE - 1;
            buffer.write(from, request, 0, request.length);
            assertTrue(queue.add(0, BUFFER + from, request.length, BUFFER + to, Spec.TAIL));
        }

        /** Kicks, and counts what comes back. */
        int kick() {
            driver.kick(queue);
            int back = 0;
            while (queue.poll()) {
                assertEquals(Spec.TAIL, queue.usedLength());
                assertEquals(Spec.OK, buffer.u8(2 * GuestMemory.PAGE_SIZE - 1));
                back++;
            }
            return back;
        }

        void notifyDevice() {
            queue.publish();
            connection.driver().notifyQueue(0);
        }

        int status() {
            return connection.driver().status();
        }
    }
}
