// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.iommu.EarlyTopology;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.TopologyItems;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeNode;
import org.virtio4j.machine.tree.TreeSettings;
import org.virtio4j.transport.TransportKind;

/**
 * Features of a virtio-iommu in which other implementations fall short, a test for each: topology, transports, reserved
 * regions and messages. The name of a test is the feature's row in a comparison of QEMU, Cloud Hypervisor (CH), crosvm
 * and kvmtool (the device that was written for it and never merged), with what is missing where. What they do was read
 * in their sources of 2026.
 */
class PeerRowsTest extends IommuTests {

    private static final int PROBE_SIZE = 512;
    private static final long DOORBELL = 0xfee0_0000L;
    private static final ReservedRegion MSI = ReservedRegions.X86_MSI.list().getFirst();
    private static final ReservedRegion HOLE = new ReservedRegion(0x1000, 0x1fff, ReservedRegion.Kind.RESERVED);
    private static final int WRITE_MMIO = Spec.MAP_F_WRITE | Spec.MAP_F_MMIO;

    /** The regions in the answer to a PROBE, in its order. */
    private static List<ReservedRegion> regions(IommuMachine machine, int endpoint) {
        Reply reply = machine.send(Requests.probe(endpoint), PROBE_SIZE + Spec.TAIL);
        assertEquals(Spec.OK, reply.status());
        ByteBuffer bytes = ByteBuffer.wrap(reply.writable()).order(ByteOrder.LITTLE_ENDIAN);
        List<ReservedRegion> found = new ArrayList<>();
        for (int at = 0; at < PROBE_SIZE && bytes.getShort(at) != 0; at += 4 + bytes.getShort(at + 2)) {
            assertEquals(1, bytes.getShort(at));
            found.add(new ReservedRegion(bytes.getLong(at + 8), bytes.getLong(at + 16),
                    bytes.get(at + 4) == 0 ? ReservedRegion.Kind.RESERVED : ReservedRegion.Kind.MSI));
        }
        return found;
    }

    private static VirtioIommuBuilder with(ReservedRegion... regions) {
        return iommu().probeSize(PROBE_SIZE).reserved(ReservedRegions.of(regions));
    }

    @Test
    @DisplayName("RESV_MEM MSI: crosvm has x86's window only, QEMU those of x86 and ARM")
    void shouldReportTheMsiWindowOfEachBoard() {
        for (ReservedRegions board : List.of(ReservedRegions.X86_MSI, ReservedRegions.QEMU_VIRT_GICV2M,
                ReservedRegions.QEMU_VIRT_ITS, ReservedRegions.QEMU_VIRT_IMSIC)) {
            assertEquals(board.list(), regions(start(iommu().reserved(board)), DISK));
        }
        ReservedRegion elsewhere = new ReservedRegion(0x6000_0000L, 0x6000_ffffL, ReservedRegion.Kind.MSI);
        assertEquals(List.of(elsewhere), regions(start(with(elsewhere)), NIC));
    }

    @Test
    @DisplayName("RESV_MEM MSI: CH always has one; without it, a doorbell that the driver maps gets the messages")
    void shouldDeliverMessagesThroughAMappingWithoutAnMsiWindow() {
        IommuMachine machine = start();
        assertEquals(List.of(), regions(machine, DISK));
        List<String> messages = new ArrayList<>();
        machine.memory().addDoorbell(0x809_0000L, 0x1000,
                (requester, address, data) -> messages.add(requester + " " + Long.toHexString(address) + " " + data));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x9000_0000L, 0x9000_0fffL, 0x809_0000L, WRITE_MMIO));
        try (DmaHandle disk = DmaSpace.of(machine.memory(), machine.iommu().translator(DISK), 0x40).open("disk")) {
            assertEquals(DmaResult.OK, disk.send(0x9000_0040L, 5));
        }
        assertEquals(List.of("64 8090040 5"), messages);
    }

    @Test
    @DisplayName("RESV_MEM RESERVED: CH, crosvm and kvmtool have none")
    void shouldReportReservedRegions() {
        IommuMachine machine = start(with(HOLE));
        assertEquals(List.of(HOLE), regions(machine, DISK));
        machine.writeBypass(1);
        machine.dma(DISK).enter();
        assertEquals(DmaResult.FAULT, Dma.write(machine.dma(DISK), HOLE.start(), 8, 1));
        assertEquals(DmaResult.OK, Dma.write(machine.dma(DISK), HOLE.end() + 1, 8, 1));
        machine.dma(DISK).leave();
    }

    @Test
    @DisplayName("MAP vs RESV_MEM: QEMU, CH, crosvm and kvmtool take the mapping")
    void shouldRefuseToMapReservedRegions() {
        IommuMachine machine = start(with(HOLE, MSI));
        machine.ok(Requests.attach(ONE, DISK));
        for (long[] range : new long[][] {{0, 0x1fff}, {0x1000, 0x1fff}, {0x1000, 0x2fff}, {0, -1},
            {DOORBELL, DOORBELL + 0xfff}, {0xfeef_f000L, 0xfef0_0fffL}}) {
            assertEquals(Spec.INVAL, machine.status(Requests.map(ONE, range[0], range[1], 0)));
        }
        assertEquals(0, machine.iommu().liveMappings());
        machine.ok(Requests.map(ONE, 0, 0xfff, 0));
        machine.ok(Requests.map(ONE, 0x2000, DOORBELL - 1, 0x2000));
    }

    @Test
    @DisplayName("MAP vs RESV_MEM: none of them looks at ATTACH; a domain that maps into the regions is UNSUPP")
    void shouldRefuseADomainThatMapsIntoReservedRegions() {
        IommuMachine machine = start(iommu().endpoint(10, ReservedRegions.X86_MSI));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, 10));
        machine.ok(Requests.map(ONE, DOORBELL, DOORBELL + 0xfff, 0x8000));
        assertEquals(Spec.UNSUPP, machine.status(Requests.attach(ONE, 10)));
        assertUnmapped(machine, 10, 0x1000);
        assertEquals(2, machine.iommu().liveDomains(), "it has kept its own domain");
        machine.ok(Requests.unmap(ONE, DOORBELL, DOORBELL + 0xfff));
        machine.ok(Requests.attach(ONE, 10));
    }

    @Test
    @DisplayName("PROBE (4): QEMU answers with 21 regions at most, CH and crosvm with one")
    void shouldReportAsManyRegionsAsProbeSizeHolds() {
        ReservedRegion[] many = new ReservedRegion[40];
        for (int i = 0; i < many.length; i++) {
            many[i] = new ReservedRegion(0x10_0000L * i, 0x10_0000L * i + 0xffff, i == 7 ? ReservedRegion.Kind.MSI
                    : ReservedRegion.Kind.RESERVED);
        }
        IommuMachine machine = start(iommu().probeSize(24 * many.length).reserved(ReservedRegions.of(many)));
        Reply reply = machine.send(Requests.probe(DISK), 24 * many.length + Spec.TAIL);
        assertEquals(Spec.OK, reply.status());
        ByteBuffer bytes = ByteBuffer.wrap(reply.writable()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < many.length; i++) {
            assertEquals(many[i].start(), bytes.getLong(24 * i + 8));
            assertEquals(i == 7 ? 1 : 0, bytes.get(24 * i + 4));
        }
    }

    @Test
    @DisplayName("PROBE buffer too small: QEMU has DEVERR at its start, CH and kvmtool nothing, crosvm may underflow")
    void shouldRefuseASmallProbeBuffer() {
        for (int room : new int[] {Spec.TAIL, 5, 28, PROBE_SIZE, PROBE_SIZE + 3}) {
            Reply reply = start(with(MSI)).send(Requests.probe(DISK), room);
            Reply.assertWritten(new byte[room - Spec.TAIL], Spec.INVAL, reply);
        }
    }

    @Test
    @DisplayName("PROBE unknown endpoint: CH answers OK with a region, kvmtool gives a used length that Linux ignores")
    void shouldNotKnowAnEndpointThatIsNotThere() {
        Reply.assertWritten(new byte[PROBE_SIZE], Spec.NOENT,
                start(with(MSI)).send(Requests.probe(NOBODY), PROBE_SIZE + Spec.TAIL));
    }

    @Test
    @DisplayName("Several vIOMMUs: QEMU, CH and crosvm have one; endpoints, domains and mappings are each one's own")
    void shouldServeSeveralIommusWithTheSameNumbers() {
        IommuMachine one = start();
        VirtioIommu second = iommu().build();
        TransportKind other = transport.isPci() ? TransportKind.MMIO : TransportKind.PCI_MESSAGES;
        IommuMachine two = keep(new IommuMachine(other, second)).start();
        one.ok(Requests.attach(ONE, DISK));
        one.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertBlocked(two, DISK);
        two.ok(Requests.attach(ONE, DISK));
        two.ok(Requests.map(ONE, 0x1000, 0x1fff, 0xa000));
        assertMapped(one, DISK, 0x1000, 0x8000);
        assertMapped(two, DISK, 0x1000, 0xa000);
        one.resetDevice();
        assertMapped(two, DISK, 0x1000, 0xa000);
    }

    @Test
    @DisplayName("Several vIOMMUs, described: QEMU, CH and crosvm have one; each device is an endpoint of one of them")
    void shouldDescribeSeveralIommus() {
        Topology topology = twoIommus();
        Set<Object> ids = new HashSet<>();
        for (PciAddress address : List.of(PciAddress.of("00:03.0"), PciAddress.of("0001:00:03.0"))) {
            ids.add(topology.endpoint(address).orElseThrow());
        }
        ids.add(topology.endpoint(new MmioBase(0xa000_2000L)).orElseThrow());
        assertEquals(3, ids.size());
        assertTrue(topology.endpoint(PciAddress.of("00:02.0")).isEmpty(), "an IOMMU is nobody's endpoint");
    }

    /** One on PCI that manages segment 0, and one over MMIO that manages segment 1 and a platform device. */
    private static Topology twoIommus() {
        return Topology.of(IommuScope.at(PciAddress.of("00:02.0")).with(PciRange.ofSegment(0, 0)),
                IommuScope.at(new MmioBase(0xa000_0000L)).with(PciRange.ofSegment(1, 0))
                        .with(new MmioEndpoint(0xa000_2000L, 0x1_0000)));
    }

    @Test
    @DisplayName("Endpoint kinds: QEMU, CH and crosvm take PCI functions alone; a platform device is one as well")
    void shouldTakeEndpointsOfAnyNumber() {
        int platform = twoIommus().endpoint(new MmioBase(0xa000_2000L)).orElseThrow().id();
        assertEquals(0x1_0000, platform, "beyond what a BDF can be");
        IommuMachine machine = start(VirtioIommu.builder().endpoint(8).endpoint(platform).endpoint(-1)
                .bootBypass(false).maxMappings(10));
        for (int endpoint : new int[] {8, platform, -1}) {
            machine.ok(Requests.attach(endpoint, endpoint));
            machine.ok(Requests.map(endpoint, 0x1000, 0x1fff, 0x8000));
            assertMapped(machine, endpoint, 0x1000, 0x8000);
        }
        assertEquals(Spec.NOENT, machine.status(Requests.attach(ONE, 0)), "numbers are not cut to 16 bits");
    }

    @Test
    @DisplayName("Transports: QEMU, CH and crosvm have PCI alone; over PCI and MMIO each answer is the same")
    void shouldAnswerTheSameOverBothTransports() {
        List<List<Object>> answers = new ArrayList<>();
        for (TransportKind kind : List.of(TransportKind.MMIO, TransportKind.PCI_MESSAGES)) {
            IommuMachine machine = keep(new IommuMachine(kind, with(HOLE, MSI).build())).start();
            answers.add(List.of(machine.status(Requests.attach(ONE, DISK)),
                    machine.status(Requests.map(ONE, 0x4000, 0x4fff, 0x8000)),
                    machine.status(Requests.map(ONE, 0x1000, 0x1fff, 0)), machine.status(Requests.attach(ONE, NOBODY)),
                    machine.status(Requests.unmap(ONE, 0, -1)), machine.status(Requests.detach(ONE, DISK)),
                    regions(machine, DISK), machine.offered().has(Spec.F_BYPASS_CONFIG)));
        }
        assertEquals(answers.getFirst(), answers.getLast());
    }

    @Test
    @DisplayName("In-config topology: QEMU, crosvm and kvmtool have none, CH has dropped it")
    void shouldDescribeItselfInItsConfiguration() {
        Topology topology = twoIommus();
        for (IommuScope scope : topology.scopes()) {
            EarlyTopology read = EarlyTopology.read(
                    powerOn(iommu().topology(TopologyItems.ITEM_LENGTH, TopologyItems.of(scope))).transport());
            assertEquals(EarlyTopology.Outcome.FOUND, read.outcome());
            boolean second = scope.location() instanceof MmioBase;
            assertEquals(second ? OptionalInt.empty() : OptionalInt.of(0x18), read.endpoint(0, 0x18));
            assertEquals(second ? OptionalInt.of(0x18) : OptionalInt.empty(), read.endpoint(1, 0x18));
            assertEquals(second ? OptionalInt.of(0x1_0000) : OptionalInt.empty(), read.endpoint(0xa000_2000L));
        }
    }

    // What firmware is given, over no transport: ACPI and device tree.

    @Test
    @DisplayName("ACPI VIOT: QEMU and crosvm have segment 0 only, CH a node for each device, kvmtool no table")
    void shouldWriteAViotOfSeveralIommusSegmentsAndKinds() {
        ByteBuffer table = ByteBuffer.wrap(ViotTable.table(twoIommus())).order(ByteOrder.LITTLE_ENDIAN);
        List<String> nodes = new ArrayList<>();
        int at = table.getShort(38);
        for (int i = table.getShort(36); i > 0; i--) {
            nodes.add(switch (table.get(at)) {
                case 1 -> "range of segment " + table.getShort(at + 8);
                case 2 -> "endpoint " + Integer.toHexString(table.getInt(at + 4));
                case 3 -> "PCI " + table.getShort(at + 6);
                default -> "MMIO " + Long.toHexString(table.getLong(at + 8));
            });
            at += table.getShort(at + 2);
        }
        assertEquals(Set.of("range of segment 0", "range of segment 1", "endpoint 10000", "PCI 16", "MMIO a0000000"),
                Set.copyOf(nodes));
        assertEquals(table.capacity(), at);
    }

    @Test
    @DisplayName("Device tree: crosvm writes none, CH segment 0 only, QEMU no devices beside PCI")
    void shouldWriteATreeOfSeveralIommusSegmentsAndKinds() throws TreeFormatException {
        DeviceTree tree = new DeviceTree();
        tree.root().put("#address-cells", 2).put("#size-cells", 2);
        for (int segment = 0; segment < 2; segment++) {
            tree.root().add(new TreeNode("pci@" + (segment + 1) + "0000000").put("device_type", "pci")
                    .put("#address-cells", 3).put("#size-cells", 2).put("linux,pci-domain", segment)
                    .put("reg", 0, 0x1000_0000 * (segment + 1), 0, 0x1000_0000).put("bus-range", 0, 255));
        }
        for (String address : List.of("a0000000", "a0002000")) {
            tree.root().add(new TreeNode("virtio_mmio@" + address).put("compatible", "virtio,mmio")
                    .put("reg", 0, (int) Long.parseLong(address, 16), 0, 0x200));
        }
        TopologyTree.edit(tree, twoIommus(), TreeSettings.DEFAULT);

        TreeNode window = tree.find("/virtio_mmio@a0000000").orElseThrow();
        assertEquals(1, word(window, "#iommu-cells", 0));
        int phandle = window.phandle().orElseThrow();
        TreeNode platform = tree.find("/virtio_mmio@a0002000").orElseThrow();
        assertEquals(phandle, word(platform, "iommus", 0));
        assertEquals(0x1_0000, word(platform, "iommus", 1));
        TreeNode first = tree.find("/pci@10000000").orElseThrow();
        int function = first.childLike("iommu").orElseThrow().phandle().orElseThrow();
        assertEquals(function, word(first, "iommu-map", 1));
        assertEquals(phandle, word(tree.find("/pci@20000000").orElseThrow(), "iommu-map", 1));
    }

    private static int word(TreeNode node, String property, int index) {
        return node.cells(property).orElseThrow()[index];
    }
}
