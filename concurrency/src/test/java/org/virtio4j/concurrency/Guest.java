// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.hostile.HostileRequests;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.RequestStatus;

/**
 * A small guest with an IOMMU and two endpoints. Requests go through registers and rings, DMA through a handle of the
 * first endpoint. One thread may be the driver while another is the device.
 */
final class Guest {

    static final int DISK = 8;
    static final int NIC = 9;
    static final int FIRST = 1;
    static final int SECOND = 2;

    static final long PAGE = GuestMemory.PAGE_SIZE;
    /** An address of the disk; as a guest-physical one it leads to a page marked so. */
    static final long IOVA = 0x9_0000;
    /** Another such address, in a mapping of its own, so that a section's second look is no memory of its first. */
    static final long OTHER = 0x9_2000;
    static final long OLD_PAGE = 0xa_0000;
    static final long NEW_PAGE = OLD_PAGE + PAGE;
    static final long NEWER_PAGE = NEW_PAGE + PAGE;
    static final long NEWEST_PAGE = NEWER_PAGE + PAGE;

    private static final long DRIVER_BYTES = 0x8_0000;
    private static final long RAM_BYTES = 0x10_0000;
    private static final int REQUESTS = 64;
    private static final int STATUS_BYTES = 4;
    private static final int READ_WRITE = 3;
    private static final int ATTACH = 1;
    private static final int MAP = 3;

    private static final Pool<Guest> POOL = new Pool<>(Guest::new);

    private final GuestRam ram;
    private final IommuDriver driver;
    private final HostileRequests hostile;
    private final GuestMemory memory = GuestMemory.anonymous(0, RAM_BYTES);
    private final VirtioIommu iommu;
    private DmaHandle disk;
    private final DmaCursor cursor = new DmaCursor();
    private int refused;

    private Guest() {
        ram = new GuestRam(memory, 0, DRIVER_BYTES);
        iommu = VirtioIommu.builder().endpoint(DISK).endpoint(NIC).queueSizes(REQUESTS, 2)
                .maxMappings(256).build();
        IommuDriverOptions options = IommuDriverOptions.LINUX.withEventBuffers(0)
                .withWanted(FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM, FeatureBit.EVENT_IDX,
                        IommuFeature.MAP_UNMAP, IommuFeature.BYPASS_CONFIG));
        driver = new IommuDriver(
                MmioDriverTransport.of(VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { })), ram,
                options, result -> refused += result.status() == RequestStatus.OK ? 0 : 1);
        hostile = new HostileRequests(driver, ram, 0x1000);
        disk = openDisk();
        start();
    }

    /** A guest whose disk is attached to the first domain, in which nothing is mapped; in bypass otherwise. */
    static Guest take() {
        Guest guest = POOL.take();
        guest.driver.writeBypass(1);
        guest.detach(DISK);
        guest.detach(NIC);
        guest.attach(FIRST, DISK);
        guest.mark(IOVA, PageMarks.BYPASSED);
        guest.mark(OTHER, PageMarks.BYPASSED);
        guest.mark(OLD_PAGE, PageMarks.OLD);
        guest.mark(NEW_PAGE, PageMarks.NEW);
        guest.mark(NEWER_PAGE, PageMarks.NEWER);
        guest.mark(NEWEST_PAGE, PageMarks.NEWEST);
        return guest;
    }

    void giveBack() {
        POOL.give(this);
    }

    private DmaHandle openDisk() {
        return DmaSpace.of(memory, iommu.translator(DISK)).open("disk");
    }

    // The host

    /** Takes the disk away, whose handle stays. */
    void unplugDisk() {
        iommu.unplug(DISK);
    }

    /** Puts another disk in its place. */
    void plugDisk() {
        disk.close();
        iommu.plug(DISK, ReservedRegions.NONE);
        disk = openDisk();
    }

    // The driver

    void start() {
        require(driver.start() == StartResult.OK);
    }

    /** Resets the device, as a guest does that begins anew. */
    void reset() {
        require(driver.writeStatus(0) == StartResult.OK);
    }

    void writeBypass(int value) {
        driver.writeBypass(value);
    }

    void attach(int domain, int endpoint) {
        succeeded(driver.attach(0, domain, endpoint, 0));
    }

    /** Detaches an endpoint from wherever it is. */
    void detach(int endpoint) {
        for (int domain = FIRST; domain <= SECOND; domain++) {
            require(driver.detach(0, domain, endpoint) == DriverResult.OK);
        }
        refused = 0;
    }

    void map(int domain, long iova, long size, long physical) {
        require(driver.map(0, domain, iova, iova + size - 1, physical, READ_WRITE) == DriverResult.OK);
    }

    /** Maps both addresses to the same page, and has that answered. */
    void mapBoth(int domain, long physical) {
        map(domain, IOVA, PAGE, physical);
        map(domain, OTHER, PAGE, physical);
        sync();
    }

    void unmap(int domain, long iova, long size) {
        require(driver.unmap(0, domain, iova, iova + size - 1) == DriverResult.OK);
    }

    /** Has all requests answered. */
    void sync() {
        succeeded(driver.sync());
    }

    /** How many of the requests since the last call were refused. */
    int syncRefused() {
        require(driver.sync() == DriverResult.OK);
        int count = refused;
        refused = 0;
        return count;
    }

    /** Queues an ATTACH without a kick. */
    void queueAttach(int domain, int endpoint) {
        raw(request(ATTACH).putInt(domain).putInt(endpoint).putInt(0).putInt(0));
    }

    /** Queues a MAP behind what {@link #queueAttach} queued. */
    void queueMap(int domain, long iova, long size, long physical) {
        raw(request(MAP).putInt(domain).putLong(iova).putLong(iova + size - 1).putLong(physical).putInt(READ_WRITE));
    }

    /** Marks a page: what a guest does that uses its memory for something else. */
    void mark(long physical, int mark) {
        ram.putI64(physical, mark);
    }

    private void raw(ByteBuffer request) {
        byte[] bytes = new byte[request.position()];
        request.get(0, bytes);
        require(hostile.raw(0, bytes, bytes.length, STATUS_BYTES) == DriverResult.OK);
    }

    private static ByteBuffer request(int type) {
        return ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putInt(type);
    }

    private void succeeded(DriverResult result) {
        require(result == DriverResult.OK && refused == 0);
    }

    // The device

    /** Opens a section of the disk. */
    void enter() {
        disk.enter();
    }

    void leave() {
        disk.leave();
    }

    /** What the disk finds at an address, in the open section. */
    int look(long iova) {
        if (disk.access(iova, Long.BYTES, Access.READ, cursor) != DmaResult.OK || !cursor.next()) {
            return PageMarks.NOWHERE;
        }
        return (int) LittleEndian.i64(cursor.segment(), cursor.offset());
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("the race was not set up as it should be");
        }
    }
}
