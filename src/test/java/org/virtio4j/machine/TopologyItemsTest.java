// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.iommu.EarlyTopology;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;

/** What an early driver reads out of the configuration of an IOMMU is what the topology says. */
class TopologyItemsTest {

    private static final long BARS = 0xc000_0000L;
    private static final long BARS_SIZE = 1 << 20;
    private static final int RANDOM_SCOPES = 2_000;

    private final GuestMemory memory = GuestMemory.anonymous(0, 4096);

    @AfterEach
    void close() {
        memory.close();
    }

    /** What the guest reads in the configuration of the IOMMU of a scope, over the transport where it lies. */
    private EarlyTopology read(IommuScope scope) {
        VirtioIommu iommu = VirtioIommu.builder().maxMappings(1)
                .topology(TopologyItems.ITEM_LENGTH, TopologyItems.of(scope)).build();
        try (iommu) {
            return switch (scope.location()) {
                case PciAddress address -> readFunction(iommu);
                case MmioBase base -> readWindow(iommu);
            };
        }
    }

    private EarlyTopology readFunction(VirtioIommu iommu) {
        try (VirtioPciFunction function =
                VirtioPciFunction.of(iommu, DmaSpace.identity(memory), PciInterrupts.messages())) {
            PciBus bus = new PciBus(BARS, BARS_SIZE);
            bus.add(0, 0, function);
            DriverTransport found = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE).scan().getFirst();
            return EarlyTopology.read(found);
        }
    }

    private EarlyTopology readWindow(VirtioIommu iommu) {
        try (VirtioMmioDevice window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { })) {
            return EarlyTopology.read(MmioDriverTransport.of(window, VirtioMmioDevice.WINDOW_SIZE));
        }
    }

    @Test
    void shouldWriteTheBytesOfTheProposal() {
        IommuScope scope = IommuScope.at(new MmioBase(0x1000)).with(new PciRange(0x8001, 0x10, 0xff1f, 0x1234_5678))
                .with(new MmioEndpoint(0x1_0203_0405L, 0xfffe_fdfc));
        assertArrayEquals(HexFormat.of().parseHex("0100" + "0180" + "1000" + "1fff" + "78563412" + "00000000"
                + "0200" + "0000" + "fcfdfeff" + "0504030201000000"), TopologyItems.of(scope));
        assertEquals(0, TopologyItems.of(IommuScope.at(new MmioBase(0x1000))).length);
    }

    @Test
    void shouldSayTheSameAsTheTopologyOfTwoIommus() {
        PciAddress function = PciAddress.of("00:02.0");
        MmioBase window = new MmioBase(0xa000_0000L);
        Topology topology = Topology.of(
                IommuScope.at(function).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(0xa000_1000L, 0x1_0000)),
                IommuScope.at(window).with(PciRange.ofSegment(1, 0x8000_0000)).with(new MmioEndpoint(0xa000_2000L, 7)));
        List<EarlyTopology> read = topology.scopes().stream().map(this::read).toList();
        for (Location device : List.of(PciAddress.of("00:00.0"), PciAddress.of("00:02.1"), PciAddress.of("ff:1f.7"),
                PciAddress.of("0001:00:02.0"), PciAddress.of("0001:ff:1f.7"), PciAddress.of("0002:00:00.0"),
                new MmioBase(0xa000_1000L), new MmioBase(0xa000_2000L), new MmioBase(0xa000_3000L))) {
            assertSame(topology, read, device);
        }
    }

    @Test
    void shouldSayTheSameAsRandomTopologies() {
        Random random = new Random(Seeds.next());
        int managed = 0;
        for (int round = 0; round < RANDOM_SCOPES; round++) {
            Topology topology = random(random);
            List<EarlyTopology> read = topology.scopes().stream().map(this::read).toList();
            for (int i = 0; i < 20; i++) {
                Location device = random.nextInt(4) == 0 ? new MmioBase(0x1000L * random.nextInt(8))
                        : new PciAddress(random.nextInt(3), random.nextInt(4), random.nextInt(32), random.nextInt(8));
                managed += topology.endpoint(device).isPresent() ? 1 : 0;
                assertSame(topology, read, device);
            }
        }
        assertTrue(managed > RANDOM_SCOPES, "devices that are endpoints: " + managed);
    }

    /** Two IOMMUs with a segment each, in up to three ranges, and some windows. */
    private static Topology random(Random random) {
        IommuScope first = IommuScope.at(new PciAddress(random.nextInt(3), 0, random.nextInt(32), 0));
        IommuScope second = IommuScope.at(new MmioBase(0x8000));
        int endpoint = random.nextInt();
        for (int segment = 0; segment < 2; segment++) {
            int start = random.nextInt(64);
            for (int i = random.nextInt(4); i > 0; i--) {
                int end = start + random.nextInt(256);
                int number = Math.abs(endpoint % 1_000_000) + segment * 0x7000_0000 + start * 3;
                PciRange range = new PciRange(segment, start, end, number);
                first = segment == 0 ? first.with(range) : first;
                second = segment == 1 ? second.with(range) : second;
                start = end + 1 + random.nextInt(64);
            }
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            MmioEndpoint device = new MmioEndpoint(0x1000L * i, -i);
            first = i % 2 == 0 ? first.with(device) : first;
            second = i % 2 == 1 ? second.with(device) : second;
        }
        return Topology.of(first, second);
    }

    /** An IOMMU's own function is nobody's endpoint, and drivers know where they have found it. */
    private static void assertSame(Topology topology, List<EarlyTopology> read, Location device) {
        for (int i = 0; i < read.size(); i++) {
            Location iommu = topology.scopes().get(i).location();
            EarlyTopology shown = read.get(i);
            assertEquals(EarlyTopology.Outcome.FOUND, shown.outcome());
            OptionalInt endpoint = device.equals(iommu) ? OptionalInt.empty() : switch (device) {
                case PciAddress address -> shown.endpoint(address.segment(), address.bdf());
                case MmioBase base -> shown.endpoint(base.address());
            };
            OptionalInt expected = topology.endpoint(device).filter(id -> id.iommu().equals(iommu))
                    .map(id -> OptionalInt.of(id.id())).orElse(OptionalInt.empty());
            assertEquals(expected, endpoint, () -> device + " in " + topology.scopes());
        }
    }
}
