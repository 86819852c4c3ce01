// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.soak;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.iommu.IommuReaders;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.ReaderCount;

/** A guest's driver of its IOMMU, and who can be behind that. */
final class Neighbours {

    static final long PAGE = GuestMemory.PAGE_SIZE;

    /** Where messages go. */
    static final long DOORBELL = 0x8000_0000L;

    /** Above all of RAM. */
    static final long FREE_IOVA = 0x1_0000_0000L;

    private static final int READ_WRITE = 3;

    private final VirtioIommu iommu;
    private final GuestMemory memory;
    private final List<Integer> endpoints;
    private final IommuDriver driver;
    private int failed;

    Neighbours(VirtioIommu iommu, DriverTransport transport, GuestMemory memory, GuestRam ram,
            List<Integer> endpoints) {
        this.iommu = iommu;
        this.memory = memory;
        this.endpoints = endpoints;
        driver = new IommuDriver(transport, ram, result -> failed |= result.status());
    }

    /** Gives each endpoint a domain of its own number, in which RAM and doorbell are where they are. */
    void start(long ramSize) {
        require(driver.start() == StartResult.OK, "the IOMMU does not start");
        for (int endpoint : endpoints) {
            ok(driver.attach(0, endpoint, endpoint, 0));
            ok(driver.map(0, endpoint, 0, ramSize - 1, 0, READ_WRITE));
            ok(driver.map(0, endpoint, DOORBELL, DOORBELL + PAGE - 1, DOORBELL, READ_WRITE));
        }
        sync();
    }

    /** Asks for one page more. */
    void map(int domain, long iova) {
        ok(driver.map(0, domain, iova, iova + PAGE - 1, 0, READ_WRITE));
    }

    void unmap(int domain, long first, long last) {
        ok(driver.unmap(0, domain, first, last));
    }

    /** Waits for all answers. */
    void sync() {
        ok(driver.sync());
        require(failed == 0, "a request was refused");
    }

    /** How many handles are known to guest memory, to the IOMMU and to each endpoint. */
    List<Integer> readers() {
        List<Integer> lists = new ArrayList<>();
        lists.add(ReaderCount.of(memory.gracePeriods()));
        lists.add(IommuReaders.waitedFor(iommu));
        for (int endpoint : endpoints) {
            lists.add(IommuReaders.remembering(iommu, endpoint));
        }
        return lists;
    }

    static void require(boolean expected, String otherwise) {
        if (!expected) {
            throw new AssertionError(otherwise);
        }
    }

    private static void ok(DriverResult result) {
        require(result == DriverResult.OK, "the driver says " + result);
    }
}
