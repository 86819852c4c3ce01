// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.vmm.GuestMemory;

/**
 * An IOMMU calls its listeners under its control lock. From there configuration, generation and status of any device
 * can be read, also while another thread holds that device's control lock and waits for the IOMMU's.
 */
class LockOrderTest extends BlockTests {

    private static final int ENDPOINT = 8;
    private static final int DOMAIN = 1;
    private static final int READ_WRITE = 3;
    private static final int BYPASS = 36;
    private static final int SECTORS = 8;
    private static final long RAM = 4 << 20;

    private final GuestMemory memory = new GuestMemory();
    private final GuestRam ram;
    private final VirtioIommu iommu;
    private final List<GuestKind.Connection> connections = new ArrayList<>();
    private volatile Runnable inRequest = () -> { };

    LockOrderTest() {
        memory.addAnonymous(0, RAM);
        ram = new GuestRam(memory, 1 << 20, RAM - (1 << 20));
        iommu = VirtioIommu.builder().endpoint(ENDPOINT).bootBypass(true).maxMappings(100)
                .listener(WhenServed.does((type, status, removed) -> inRequest.run())).build();
    }

    @AfterEach
    void closeMemory() {
        connections.forEach(connection -> connection.reset().accept(ResetKind.SYSTEM));
        memory.close();
    }

    @Test
    @DisplayName("Read from a listener: the configuration of a disk that is being started behind the IOMMU")
    void shouldReadADevicesConfigurationWhileItStarts() {
        IommuDriver requests = started(connect(iommu, DmaSpace.identity(memory)));
        DriverTransport disk = connect(build(disk(SECTORS)), DmaSpace.of(memory, iommu.translator(ENDPOINT)));
        VirtioDriver driver = new VirtioDriver(disk, FeatureSet.offeredBy(disk));
        assertEquals(StartResult.OK, driver.begin());
        DriverQueue queue = driver.queue(0, QueueMemory.compact(ram, 64));
        assertEquals(StartResult.OK, driver.enable(queue));
        Thread starter = new Thread(driver::driverOk, "starter");
        assertEquals(SECTORS, readWhile(requests, starter, () -> {
            int seen = disk.configGeneration() | disk.status();
            return disk.readConfig(0, 8) + (seen & 0);
        }));
    }

    @Test
    @DisplayName("Read from a listener: the IOMMU's own configuration, which a driver is writing")
    void shouldReadTheIommusOwnConfigurationWhileItIsWritten() {
        DriverTransport own = connect(iommu, DmaSpace.identity(memory));
        IommuDriver requests = started(own);
        Thread writer = new Thread(() -> own.writeConfig(BYPASS, 1, 0), "writer");
        assertEquals(1, readWhile(requests, writer, () -> own.readConfig(BYPASS, 1)));
        assertEquals(0, own.readConfig(BYPASS, 1));
    }

    /** What a listener reads while another thread waits for the IOMMU it is called by. */
    private long readWhile(IommuDriver requests, Thread other, LongSupplier read) {
        AtomicLong result = new AtomicLong(-1);
        AtomicBoolean once = new AtomicBoolean(true);
        inRequest = () -> {
            if (once.getAndSet(false)) {
                other.start();
                Parked.until(() -> other.getState() == Thread.State.WAITING);
                // On a thread of its own, so that a deadlock ends when this one is tired of waiting.
                Thread reader = new Thread(() -> result.set(read.getAsLong()), "reader");
                reader.start();
                Parked.finish(reader);
            }
        };
        requests.map(0, DOMAIN, 0x1000, 0x1fff, 0x1000, READ_WRITE);
        assertEquals(DriverResult.OK, requests.sync());
        Parked.finish(other);
        return result.get();
    }

    private DriverTransport connect(VirtioDevice device, DmaSpace dma) {
        GuestKind.Connection connection = kind.connect(device, dma, () -> { });
        connections.add(connection);
        return connection.driver();
    }

    private IommuDriver started(DriverTransport transport) {
        IommuDriver driver = new IommuDriver(transport, ram, result -> assertEquals(0, result.status()));
        assertEquals(StartResult.OK, driver.start());
        driver.attach(0, DOMAIN, ENDPOINT, 0);
        assertEquals(DriverResult.OK, driver.sync());
        return driver;
    }
}
