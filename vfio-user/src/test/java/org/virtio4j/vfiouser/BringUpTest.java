// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.FaultReport;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.wire.DeviceStatus;

/** A guest's driver on one side of the socket, the IOMMU on the other. */
@Timeout(60)
class BringUpTest extends ServedTest {

    private static final long SIZE = 4 << 20;
    private static final int READ_WRITE = 3;
    private static final int EVENTFD_TRIGGER = 0x24;
    private static final int MSIX = 2;
    private static final int ALL = 2;

    private final GuestMemory guest = new GuestMemory();
    private final List<Integer> statuses = new ArrayList<>();
    private int memfd;
    private PciDriverTransport transport;
    private IommuDriver driver;

    @BeforeEach
    void bringUp() throws IOException {
        shareMemory();
        SocketBus bus = new SocketBus(client);
        transport = new PciHost(bus.ecam(), bus.memory(), SocketBus.MEMORY_START, SocketBus.MEMORY_SIZE).scan()
                .getFirst();
        driver = new IommuDriver(transport, new GuestRam(guest, 0, SIZE),
                IommuDriverOptions.LINUX.withPollLimit(Long.MAX_VALUE), result -> statuses.add(result.status()));
        assertEquals(StartResult.OK, driver.start());
    }

    @AfterEach
    void close() {
        Libc.close(memfd);
        guest.close();
    }

    @Test
    void shouldServeRequestsOfADriverBehindTheSocket() {
        assertEquals(DriverResult.OK, driver.attach(1, 7, Served.ENDPOINT, 0));
        for (int page = 0; page < 100; page++) {
            assertEquals(DriverResult.OK,
                    driver.map(2, 7, page * 0x1000L, page * 0x1000L + 0xfff, 0x10_0000 + page * 0x1000L, 3));
        }
        assertEquals(DriverResult.OK, driver.sync());
        assertEquals(100, served.iommu.liveMappings());
        assertEquals(DriverResult.OK, driver.unmap(3, 7, 0, 0x63fff));
        assertEquals(DriverResult.OK, driver.detach(4, 7, Served.ENDPOINT));
        assertEquals(DriverResult.OK, driver.sync());
        assertEquals(0, served.iommu.liveMappings());
        assertTrue(statuses.stream().allMatch(status -> status == 0));
        assertEquals(103, statuses.size());
    }

    @Test
    void shouldInterruptByEventfdWhenADeviceFaults() {
        int eventfd = Libc.eventfd();
        client.setIrqs(EVENTFD_TRIGGER, MSIX, 0, 1, eventfd);
        transport.enableMessages(true);
        assertTrue(transport.queueVector(IommuDriver.EVENT_QUEUE, 0));
        driver.attach(1, 7, Served.ENDPOINT, 0);
        assertEquals(DriverResult.OK, driver.sync());
        strayDma();

        assertEquals(8, Libc.read(eventfd, 8).length);
        FaultReport report = new FaultReport();
        assertTrue(driver.pollEvent(report));
        assertEquals(Served.ENDPOINT, report.endpoint());
        assertEquals(0xdead000L, report.address());
        Libc.close(eventfd);
    }

    /** What ends the claim of a queue to its vector, as a guest or a client does it. */
    enum End { STATUS_0, FUNCTION_RESET, CLIENT_RESET, NO_VECTOR, OTHER_VECTOR, NOTHING }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.4.1, 4.1.5.3.1: an eventfd that comes later is not signalled for what has ended")
    void shouldWithdrawAVectorThatIsPendingForTheClient(End end) {
        transport.enableMessages(true);
        assertTrue(transport.queueVector(IommuDriver.EVENT_QUEUE, 0));
        driver.attach(1, 7, Served.ENDPOINT, 0);
        assertEquals(DriverResult.OK, driver.sync());
        strayDma();
        switch (end) {
            case STATUS_0 -> transport.writeStatus(0);
            case FUNCTION_RESET -> transport.functionReset();
            case CLIENT_RESET -> client.request(TestClient.RESET, TestClient.body(0));
            case NO_VECTOR -> transport.queueVector(IommuDriver.EVENT_QUEUE, 0xffff);
            case OTHER_VECTOR -> transport.queueVector(IommuDriver.EVENT_QUEUE, 1);
            case NOTHING -> assertEquals(DriverResult.OK, driver.sync());
        }
        int eventfd = Libc.eventfd();
        client.setIrqs(EVENTFD_TRIGGER, MSIX, 0, 1, eventfd);
        assertEquals(end == End.NOTHING ? 8 : 0, Libc.read(eventfd, 8).length);
        Libc.close(eventfd);
    }

    @Test
    void shouldInterruptByThePinWhenMessagesAreOff() {
        int eventfd = Libc.eventfd();
        client.setIrqs(EVENTFD_TRIGGER, 0, 0, 1, eventfd);
        driver.attach(1, 7, Served.ENDPOINT, 0);
        driver.sync();
        Libc.read(eventfd, 8);
        transport.takeInterrupts();
        client.setIrqs(0x11, 0, 0, 1);
        strayDma();

        assertEquals(8, Libc.read(eventfd, 8).length);
        assertEquals(1, transport.takeInterrupts() & 1);
        Libc.close(eventfd);
    }

    @Test
    void shouldDropEverythingWhenTheClientResetsTheDevice() {
        driver.attach(1, 7, Served.ENDPOINT, 0);
        driver.map(2, 7, 0, 0xfff, 0x10_0000, 3);
        driver.sync();
        assertEquals(0, client.request(TestClient.RESET, TestClient.body(0)).errno());
        assertEquals(0, served.iommu.liveMappings());
        assertEquals(0, served.iommu.liveDomains());
        assertEquals(0, client.value(TestClient.CONFIG, 4, 2), "command register");
    }

    @Test
    void shouldNotBlameTheDriverWhenMemoryGoesAndComesBackInOtherPieces() {
        driver.attach(1, 7, Served.ENDPOINT, 0);
        driver.sync();
        assertEquals(0, client.unmap(0, SIZE / 2, 0).errno());
        assertEquals(0, client.unmap(SIZE / 2, SIZE / 2, 0).errno());
        // A device thread that looks at a ring just now.
        strayDma();
        assertEquals(0, client.map(0, 0x1000, 0, READ_WRITE, memfd).errno());
        assertEquals(0, client.map(0x1000, SIZE - 0x1000, 0x1000, READ_WRITE, memfd).errno());

        FaultReport report = new FaultReport();
        assertTrue(driver.pollEvent(report), "what waited is written when the ring is back");
        assertEquals(0xdead000L, report.address());
        assertEquals(0, transport.status() & DeviceStatus.NEEDS_RESET, served.function.needsResetReason());
        assertEquals(DriverResult.OK, driver.detach(2, 7, Served.ENDPOINT));
        assertEquals(DriverResult.OK, driver.sync());
    }

    @Test
    void shouldNeedAResetWhenMemoryWentForGood() {
        driver.attach(1, 7, Served.ENDPOINT, 0);
        driver.sync();
        assertEquals(0, client.unmap(0, 0, ALL).errno());
        strayDma();
        assertEquals("", served.function.needsResetReason());
        assertEquals(DeviceStatus.NEEDS_RESET, transport.status() & DeviceStatus.NEEDS_RESET);
    }

    private void shareMemory() {
        memfd = Libc.memfd(SIZE, Libc.SEAL_SHRINK);
        Arena arena = Arena.ofShared();
        guest.add(0, Libc.map(memfd, SIZE, arena), RegionKind.RAM, arena::close);
        assertEquals(0, client.map(0, SIZE / 2, 0, READ_WRITE, memfd).errno());
        assertEquals(0, client.map(SIZE / 2, SIZE / 2, SIZE / 2, READ_WRITE, memfd).errno());
    }

    private void strayDma() {
        try (DmaHandle dma = DmaSpace.of(served.socket.memory(), served.iommu.translator(Served.ENDPOINT))
                .open("stray"); Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(8);
            dma.enter();
            assertEquals(DmaResult.FAULT, dma.write(0xdead000L, buffer, 0, 8));
            dma.leave();
        }
    }
}
