// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.soak;

import static org.virtio4j.soak.Neighbours.require;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Machine;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.soak.SoakedGuest.Way;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.ReaderCount;

/** IOMMUs that are made, filled with mappings by their driver and closed; run as a process of its own. */
final class IommuSoak {

    private static final long RAM = 0x80_0000;
    private static final int FULL = 8;
    private static final int SERVED = 9;
    private static final int BUFFER = 64;
    private static final PciAddress IOMMU = PciAddress.of("00:01.0");
    private static final PciAddress ENTROPY = PciAddress.of("00:02.0");

    /** Without common factors with any power of two: runs through all pages, in an order that is none. */
    private static final long STRIDE = 0x9e37_79b1L;

    private final GuestMemory memory = new GuestMemory();
    private final AtomicInteger interrupts = new AtomicInteger();
    private final int mappings;

    /** The most that was resident when an IOMMU was closed, whatever had been collected by then. */
    private long mostKib;

    private IommuSoak(int mappings) {
        this.mappings = mappings;
        memory.addAnonymous(0, RAM);
        memory.addDoorbell(Neighbours.DOORBELL, Neighbours.PAGE,
                (requester, address, data) -> interrupts.incrementAndGet());
    }

    /** Takes how many IOMMUs there are to be, and how many mappings in each, a power of two. */
    public static void main(String[] arguments) {
        int count = Integer.parseInt(arguments[0]);
        IommuSoak soak = new IommuSoak(Integer.parseInt(arguments[1]));
        // One over each transport at least: what is needed of it for the first time opens a file of the class path.
        int begun = Math.max(2, count / 10);
        soak.run(0, begun);
        Holding first = Holding.afterCollection(soak.readers());
        System.out.println("after " + begun + " IOMMUs: " + first);
        soak.mostKib = 0;
        soak.run(begun, count);
        Holding last = Holding.afterCollection(soak.readers());
        System.out.println("after " + count + " IOMMUs: " + last + ", at most " + soak.mostKib + " KiB in between");
        require(first.readers().equals(List.of(0)), "readers at the end: " + first);
        last.requireAs(first);
        // The close gives the memory back, not the collector.
        require(soak.mostKib <= first.residentKib() + Holding.MORE_KIB, "memory in between: " + soak.mostKib + " KiB");
        soak.memory.close();
    }

    private List<Integer> readers() {
        return List.of(ReaderCount.of(memory.gracePeriods()));
    }

    private void run(int from, int to) {
        for (int i = from; i < to; i++) {
            one(i);
            mostKib = Math.max(mostKib, Holding.now(readers()).residentKib());
        }
    }

    private void one(int number) {
        VirtioIommu iommu = VirtioIommu.builder().endpoint(FULL).endpoint(SERVED).bootBypass(false)
                .maxMappings(mappings + BUFFER).build();
        if (number % 2 == 0) {
            overMmio(iommu, number);
        } else {
            overPci(iommu, number);
        }
        require(iommu.tableBytes() == 0, "the tables are still there");
    }

    /** The device behind the IOMMU outlives it. */
    private void overMmio(VirtioIommu iommu, int number) {
        VirtioMmioDevice window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { });
        GuestRam ram = new GuestRam(memory, Neighbours.PAGE, RAM - Neighbours.PAGE);
        Neighbours neighbours = fill(iommu, MmioDriverTransport.of(window), ram, number);
        SoakedGuest guest = new SoakedGuest(new VirtioEntropy(), behind(iommu), Way.MESSAGES,
                new SoakedGuest.Place(ram), interrupts);
        guest.use(new byte[0], BUFFER);
        clear(neighbours, number);
        window.close();
        iommu.close();
        guest.begin(new byte[0], BUFFER);
        guest.close();
    }

    /** Both end together, as a machine. */
    private void overPci(VirtioIommu iommu, int number) {
        VirtioPciFunction function = VirtioPciFunction.of(iommu, DmaSpace.identity(memory), PciInterrupts.messages());
        VirtioDevice entropy = new VirtioEntropy();
        VirtioPciFunction other = VirtioPciFunction.of(entropy, behind(iommu), PciInterrupts.messages());
        Machine machine = new Machine(Topology.of(
                IommuScope.at(IOMMU).with(new PciRange(0, ENTROPY.bdf(), ENTROPY.bdf(), SERVED))));
        machine.add(IOMMU, function);
        machine.add(ENTROPY, other);
        GuestRam ram = new GuestRam(memory, Neighbours.PAGE, RAM - Neighbours.PAGE);
        Neighbours neighbours = fill(iommu, SoakedGuest.find(function), ram, number);
        clear(neighbours, number);
        machine.close();
        iommu.close();
    }

    private DmaSpace behind(VirtioIommu iommu) {
        return DmaSpace.of(memory, iommu.translator(SERVED), SERVED);
    }

    private Neighbours fill(VirtioIommu iommu, DriverTransport transport, GuestRam ram, int number) {
        Neighbours neighbours = new Neighbours(iommu, transport, memory, ram, List.of(FULL, SERVED));
        neighbours.start(RAM);
        long before = iommu.liveMappings();
        long stride = number % 3 == 0 ? STRIDE : 1;
        for (long i = 0; i < mappings; i++) {
            neighbours.map(FULL, page((i * stride) & (mappings - 1)));
        }
        neighbours.sync();
        require(iommu.liveMappings() == before + mappings, "mappings are missing");
        return neighbours;
    }

    private void clear(Neighbours neighbours, int number) {
        if (number / 2 % 2 == 0) {
            neighbours.unmap(FULL, page(0), page(mappings) - 1);
            neighbours.sync();
        }
    }

    /** No two touch, so that none could be joined. */
    private static long page(long number) {
        return Neighbours.FREE_IOVA + number * 2 * Neighbours.PAGE;
    }
}
