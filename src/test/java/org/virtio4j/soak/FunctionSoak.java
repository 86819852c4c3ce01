// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.soak;

import static org.virtio4j.soak.Neighbours.require;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioBlockBuilder;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.soak.SoakedGuest.Way;
import org.virtio4j.vmm.GuestMemory;

/** Functions and windows that are made, used and closed beside one IOMMU; run as a process of its own. */
final class FunctionSoak {

    /** What is behind the IOMMU, each at an endpoint of its own. */
    private enum Kind { DISK_IN_KICKS, ENTROPY, DISK_WITH_WORKER, OWN }

    private static final List<Kind> KINDS = List.of(Kind.values());
    private static final List<Way> WAYS = List.of(Way.values());
    private static final long RAM = 0x80_0000;
    private static final int FIRST_ENDPOINT = 8;
    private static final int SECTOR = 512;
    private static final int DISK_HEADER = 16;

    private final GuestMemory memory = new GuestMemory();
    private final AtomicInteger interrupts = new AtomicInteger();
    private final VirtioIommu iommu;
    private final VirtioMmioDevice window;
    private final Neighbours neighbours;
    private final SoakedGuest.Place place;
    private final Path file;
    private final byte[] readSector =
            ByteBuffer.allocate(DISK_HEADER).order(ByteOrder.LITTLE_ENDIAN).putLong(8, 1).array();

    private FunctionSoak(Path file) {
        this.file = file;
        memory.addAnonymous(0, RAM);
        memory.addDoorbell(Neighbours.DOORBELL, Neighbours.PAGE,
                (requester, address, data) -> interrupts.incrementAndGet());
        List<Integer> endpoints = List.of(FIRST_ENDPOINT, FIRST_ENDPOINT + 1, FIRST_ENDPOINT + 2, FIRST_ENDPOINT + 3);
        iommu = VirtioIommu.builder().endpoint(endpoints.get(0)).endpoint(endpoints.get(1)).endpoint(endpoints.get(2))
                .endpoint(endpoints.get(3)).bootBypass(false).maxMappings(1_000).build();
        window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { });
        GuestRam ram = new GuestRam(memory, Neighbours.PAGE, RAM - Neighbours.PAGE);
        neighbours = new Neighbours(iommu, MmioDriverTransport.of(window), memory, ram, endpoints);
        neighbours.start(RAM);
        place = new SoakedGuest.Place(ram);
    }

    /** Takes a disk's file and how many functions there are to be. */
    public static void main(String[] arguments) throws IOException {
        int count = Integer.parseInt(arguments[1]);
        FunctionSoak soak = new FunctionSoak(Path.of(arguments[0]));
        List<Integer> idle = soak.neighbours.readers();
        soak.run(0, count / 10);
        Holding first = Holding.afterCollection(soak.neighbours.readers());
        System.out.println("after " + count / 10 + " functions: " + first);
        soak.run(count / 10, count);
        Holding last = Holding.afterCollection(soak.neighbours.readers());
        System.out.println("after " + count + " functions: " + last);
        require(first.readers().equals(idle), idle + " readers before all functions, " + first);
        last.requireAs(first);
        soak.window.close();
        soak.iommu.close();
        soak.memory.close();
    }

    private void run(int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            one(i);
        }
    }

    private void one(int number) throws IOException {
        Kind kind = KINDS.get(number % KINDS.size());
        Way way = WAYS.get(number / KINDS.size() % WAYS.size());
        int endpoint = FIRST_ENDPOINT + number % KINDS.size();
        List<Integer> before = neighbours.readers();
        @Nullable VirtioBlock disk = switch (kind) {
            case DISK_IN_KICKS -> builder().servedInKicks().build();
            case DISK_WITH_WORKER -> builder().build();
            case ENTROPY, OWN -> null;
        };
        VirtioDevice device = disk != null ? disk : kind == Kind.ENTROPY ? new VirtioEntropy() : new RecordingDevice();
        SoakedGuest guest = new SoakedGuest(device, DmaSpace.of(memory, iommu.translator(endpoint), endpoint), way,
                place, interrupts);
        require(neighbours.readers().getFirst() > before.getFirst(), "nobody is counted");
        byte[] request = disk == null ? new byte[0] : readSector;
        int writable = disk == null ? SECTOR : SECTOR + 1;
        guest.use(request, writable);
        require(disk == null || guest.written(DISK_HEADER + SECTOR) == 0, "status of the disk");
        // A grace period while the function's handles are there.
        neighbours.map(endpoint, Neighbours.FREE_IOVA);
        neighbours.unmap(endpoint, Neighbours.FREE_IOVA, Neighbours.FREE_IOVA + Neighbours.PAGE - 1);
        neighbours.sync();
        end(guest, number / 16, request, writable);
        if (disk != null) {
            disk.close();
        }
        require(neighbours.readers().equals(before), kind + " over " + way + " leaves readers behind");
    }

    /** Some drivers say goodbye, some do not, and some have a request under way. */
    private static void end(SoakedGuest guest, int turn, byte[] request, int writable) {
        switch (turn % 3) {
            case 0 -> guest.reset();
            case 1 -> guest.begin(request, writable);
            default -> { }
        }
        guest.close();
        if (turn % 2 == 0) {
            guest.close();
        }
    }

    private VirtioBlockBuilder builder() {
        return VirtioBlock.builder(Objects.requireNonNull(file)).queueSize(16);
    }
}
