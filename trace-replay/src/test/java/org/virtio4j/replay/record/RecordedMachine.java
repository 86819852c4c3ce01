// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.hostile.HostileRequests;
import org.virtio4j.driver.iommu.FaultReport;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.IommuFeature;

/** A recorded IOMMU with two endpoints behind it, and a driver that does what it is told, or anything. */
final class RecordedMachine implements AutoCloseable {

    static final int DISK = 8;
    static final int OTHER = 9;

    private static final long RAM = 1L << 24;
    private static final int PAGE = 4096;
    private static final Map<Integer, ReservedRegions> ENDPOINTS =
            new TreeMap<>(Map.of(DISK, ReservedRegions.X86_MSI, OTHER, ReservedRegions.NONE));

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final VirtioMmioDevice window;
    private final List<DmaHandle> handles;
    private final FaultReport report = new FaultReport();
    private IommuDriver driver;
    private HostileRequests hostile;

    RecordedMachine(Recorder recorder) {
        VirtioIommu iommu = VirtioIommu.builder().endpoint(DISK, ReservedRegions.X86_MSI)
                .endpoint(OTHER, ReservedRegions.NONE).inputRange(PAGE, 0xffff_ffffL).domainRange(0, 15)
                .queueSizes(64, 16).listener(recorder).build();
        recorder.watch(iommu, ENDPOINTS);
        window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { });
        handles = ENDPOINTS.keySet().stream()
                .map(id -> DmaSpace.of(memory, iommu.translator(id)).open("endpoint " + id)).toList();
        hostile = driver(IommuDriverOptions.LINUX);
        driver = hostile.driver();
    }

    IommuDriver driver() {
        return driver;
    }

    HostileRequests hostile() {
        return hostile;
    }

    void start() {
        StartResult result = driver.start();
        if (result != StartResult.OK) {
            throw new IllegalStateException("start=" + result);
        }
    }

    void startWithoutMmio() {
        hostile = driver(IommuDriverOptions.LINUX.withWanted(
                IommuDriverOptions.LINUX.wanted().without(IommuFeature.MMIO)));
        driver = hostile.driver();
        start();
    }

    void systemReset() {
        window.reset(ResetKind.SYSTEM);
    }

    /** An endpoint asks for an address, to read there. */
    void dma(int endpoint, long iova) {
        DmaHandle handle = handles.get(endpoint - DISK);
        handle.enter();
        Object ignored = handle.translate(iova, Access.READ, (virtStart, virtEnd, physStart, permitted) -> { });
        handle.leave();
    }

    /** Does this and that, sensible or not. */
    void doAnything(long seed, int steps) {
        Random random = new Random(seed);
        start();
        for (int step = 0; step < steps; step++) {
            int endpoint = DISK + random.nextInt(3);
            int domain = random.nextInt(4);
            long start = (long) random.nextInt(32) * PAGE + (random.nextInt(20) == 0 ? 1 : 0);
            long end = start + (long) (1 + random.nextInt(3)) * PAGE - 1;
            switch (random.nextInt(20)) {
                case 0, 1 -> driver.attach(step, domain, endpoint, random.nextInt(8) == 0 ? random.nextInt(3) : 0);
                case 2 -> driver.detach(step, domain, endpoint);
                case 3 -> driver.probe(step, endpoint);
                case 4 -> raw(random, step);
                case 5, 6, 7, 8, 9 -> driver.unmap(step, domain, start, end);
                case 10, 11 -> dma(DISK + random.nextInt(2), start);
                case 12 -> driver.sync();
                case 13 -> restartSometimes(random);
                default -> driver.map(step, domain, start, end, (long) random.nextInt(100) * PAGE, random.nextInt(5));
            }
            while (random.nextBoolean() && driver.pollEvent(report)) {
                step++;
            }
        }
        driver.sync();
    }

    /** A request with some byte wrong, or all. */
    private void raw(Random random, int tag) {
        byte[] bytes = new byte[random.nextInt(120)];
        if (random.nextBoolean()) {
            random.nextBytes(bytes);
        }
        if (bytes.length > 0) {
            bytes[0] = (byte) random.nextInt(7);
        }
        hostile.raw(tag, bytes, bytes.length, random.nextInt(4) == 0 ? 600 : random.nextInt(12));
    }

    private void restartSometimes(Random random) {
        switch (random.nextInt(8)) {
            case 0 -> {
                driver.sync();
                systemReset();
                start();
            }
            case 1 -> {
                driver.sync();
                start();
            }
            case 2, 3, 4 -> driver.writeBypass(random.nextInt(2));
            default -> {
                // Most of the time there is something to lose.
            }
        }
    }

    private HostileRequests driver(IommuDriverOptions options) {
        GuestRam ram = new GuestRam(memory, 0, RAM);
        IommuDriver made = new IommuDriver(MmioDriverTransport.of(window), ram, options, result -> { });
        return new HostileRequests(made, ram, HostileRequests.USUAL_ROOM);
    }

    @Override
    public void close() {
        window.reset(ResetKind.SYSTEM);
        handles.forEach(DmaHandle::close);
        memory.close();
    }
}
