// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.serving.config.MachineReader;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** Section 2.7.10 over sockets: a machine with {@code poll = true}, and clients that write no doorbell. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PolledServeTest {

    private static final long SIZE = 4 << 20;
    private static final int ENTRIES = 64;
    private static final int SECTOR = 512;
    private static final int REQUESTS = 500;
    private static final int EVENT_IDX = 1 << FeatureBit.EVENT_IDX;

    private static final String CONFIG = """
            [[machine]]
            folder = "run"
            memory = 4
            memory-file = "ram"
            [machine.iommu]
            address = "00:08.0"
            poll = true
            idle = "yield"
            [[machine.rng]]
            address = "00:09.0"
            poll = true
            idle = "sleep"
            [[machine.disk]]
            address = "00:0a.0"
            file = "disk.img"
            poll = true
            """;

    @TempDir
    private Path folder;
    private final GuestMemory guest = new GuestMemory();
    private final byte[] disk = new byte[16 * SECTOR];
    private GuestRam ram;
    private ServedMachine machine;
    private int notifications;

    @BeforeEach
    void serve() throws IOException, CommandFailure {
        new Random(1).nextBytes(disk);
        Files.write(folder.resolve("disk.img"), disk);
        Path file = Files.write(folder.resolve("ram"), new byte[(int) SIZE]);
        guest.addFile(0, file, 0, SIZE);
        ram = new GuestRam(guest, 0, SIZE);
        Path config = Files.writeString(folder.resolve("vm.toml"), CONFIG);
        machine = ServedMachine.serve(MachineReader.read(config).getFirst());
    }

    @AfterEach
    void close() throws IOException {
        machine.close();
        guest.close();
        assertEquals(List.of(), pollingThreads(), "what is left");
    }

    @Test
    void shouldSayWhichDevicesArePolled() {
        assertEquals(List.of("iommu is polled (idle = yield) and asks for no notification",
                "rng-09.0 is polled (idle = sleep) and asks for no notification",
                "disk-0a.0 is polled (idle = backoff) and asks for no notification"), machine.polledDevices());
        assertEquals(List.of("virtio4j polls disk-0a.0", "virtio4j polls iommu", "virtio4j polls rng-09.0"),
                pollingThreads());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.10: disk, source of entropy and IOMMU serve a client that never notifies, as it is asked not to")
    void shouldServeClientsThatNeverNotify(boolean eventIdx) {
        try (QuietClient client = client("disk-0a.0")) {
            DriverQueue queue = start(client, eventIdx);
            GuestBuffer buffer = ram.buffer(4096, 4096);
            for (int i = 0; i < REQUESTS; i++) {
                read(queue, buffer, i % 16);
            }
        }
        try (QuietClient client = client("rng-09.0")) {
            DriverQueue queue = start(client, eventIdx);
            GuestBuffer buffer = ram.buffer(4096, 4096);
            for (int i = 0; i < REQUESTS; i++) {
                assertTrue(queue.add(i, 0, 0, buffer.address(), 64));
                assertEquals(64, await(queue));
            }
        }
        try (QuietClient client = client("iommu")) {
            DriverQueue queue = start(client, eventIdx);
            GuestBuffer buffer = ram.buffer(4096, 4096);
            buffer.write(0, attach(), 0, 20);
            for (int i = 0; i < REQUESTS; i++) {
                assertTrue(queue.add(i, buffer.address(), 20, buffer.address() + 64, 4));
                assertEquals(4, await(queue));
                assertEquals(0, bytes(buffer, 64, 1)[0]);
            }
        }
        assertEquals(0, notifications);
        assertEquals(List.of(), machine.notices());
        assertTrue(machine.report().contains("rng-09.0: 500 buffers found by polling"), machine.report()::toString);
        assertTrue(machine.report().contains("disk-0a.0: 500 buffers found by polling"), machine.report()::toString);
    }

    @Test
    @DisplayName("2.7.10.2: a doorbell is harmless, and a client that comes again is served as the one before")
    void shouldServeTheNextClientAndBearDoorbells() {
        for (int round = 0; round < 3; round++) {
            try (QuietClient client = client("disk-0a.0")) {
                DriverQueue queue = start(client, true);
                GuestBuffer buffer = ram.buffer(4096, 4096);
                for (int i = 0; i < 20; i++) {
                    client.doorbell(0);
                    read(queue, buffer, i % 16);
                }
                assertEquals(15, client.status());
            }
        }
        assertEquals(0, notifications);
    }

    @Test
    @DisplayName("2.1.2: a ring that breaks stops that device alone, with a line that says so")
    void shouldSayThatARingIsBroken() {
        try (QuietClient client = client("disk-0a.0"); QuietClient other = client("rng-09.0")) {
            DriverQueue queue = start(client, false);
            queue.memory().availableRing().putU16(2, 2 * ENTRIES);
            // The status says so first.
            List<String> notices = machine.notices();
            while (notices.isEmpty()) {
                notices = machine.notices();
            }
            assertEquals(0x4f, client.status());
            assertEquals(List.of("disk-0a.0: stands still until its driver resets it: queue 0: AVAILABLE_INDEX_AHEAD"),
                    notices);
            DriverQueue entropy = start(other, false);
            assertTrue(entropy.add(0, 0, 0, ram.buffer(64, 64).address(), 64));
            assertEquals(64, await(entropy));
        }
    }

    private QuietClient client(String name) {
        return new QuietClient(folder.resolve("run").resolve(name + ".sock"), folder.resolve("ram"), SIZE);
    }

    private DriverQueue start(QuietClient client, boolean eventIdx) {
        QueueMemory memory = QueueMemory.pageAligned(ram, ENTRIES);
        DriverQueue queue = new DriverQueue(0, memory, eventIdx);
        client.prepare(eventIdx ? 0 : EVENT_IDX, 0, ENTRIES, memory.descriptorTable().address(),
                memory.availableRing().address(), memory.usedRing().address());
        client.driverOk();
        assertEquals(15, client.status());
        return queue;
    }

    private void read(DriverQueue queue, GuestBuffer buffer, int sector) {
        byte[] header = new byte[16];
        header[8] = (byte) sector;
        buffer.write(0, header, 0, header.length);
        assertTrue(queue.add(sector, buffer.address(), header.length, buffer.address() + 16, SECTOR + 1));
        assertEquals(SECTOR + 1, await(queue));
        byte[] data = bytes(buffer, 16, SECTOR + 1);
        assertEquals(0, data[SECTOR]);
        assertEquals(disk[sector * SECTOR + 7], data[7]);
    }

    /** Publishes and waits; what the device wishes is looked at, and would be counted. */
    private long await(DriverQueue queue) {
        queue.publish();
        notifications += queue.kickNeeded() ? 1 : 0;
        while (!queue.poll()) {
            Thread.onSpinWait();
        }
        assertFalse(queue.poll());
        return queue.usedLength();
    }

    /** Section 5.13.6.3, of domain 1 and endpoint 00:09.0. */
    private static byte[] attach() {
        byte[] request = new byte[20];
        request[0] = 1;
        request[4] = 1;
        request[8] = 9 << 3;
        return request;
    }

    private static byte[] bytes(GuestBuffer buffer, int at, int length) {
        byte[] bytes = new byte[length];
        buffer.read(at, bytes, 0, length);
        return bytes;
    }

    private static List<String> pollingThreads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.startsWith("virtio4j polls")).sorted().toList();
    }
}
