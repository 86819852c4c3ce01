// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;

class TopologyTreeTest {

    private static final int DAMAGED = 20_000;
    private static final PciAddress IOMMU = PciAddress.of("00:08.0");
    private static final PciAddress DISK = PciAddress.of("00:0a.1");
    private static final MmioBase WINDOW = new MmioBase(0xa000000);
    private static final MmioBase OTHER_WINDOW = new MmioBase(0xa000200);
    private static final Topology WHOLE = Topology.of(IommuScope.at(IOMMU).with(PciRange.ofSegment(0, 0)));
    private static final Topology WINDOWS =
            Topology.of(IommuScope.at(WINDOW).with(new MmioEndpoint(OTHER_WINDOW, 8)));

    /** What QEMU says of an IOMMU of its own. */
    @Test
    void shouldDescribeWholeSegmentAroundTheIommu() throws TreeFormatException {
        DeviceTree tree = edited(WHOLE, TreeSettings.DEFAULT);
        TreeNode bridge = node(tree, "/pcie@10000000");
        assertArrayEquals(new int[] {0, 0x8005, 0, 0x40, 0x41, 0x8005, 0x41, 0xffbf},
                bridge.cells("iommu-map").orElseThrow());
        TreeNode iommu = node(tree, "/pcie@10000000/iommu@8,0");
        assertEquals(List.of("virtio,pci-iommu", "pci1af4,1057"), iommu.strings("compatible"));
        assertArrayEquals(new int[] {0x4000, 0, 0, 0, 0}, iommu.cells("reg").orElseThrow());
        assertEquals(1, iommu.cell("#iommu-cells").orElseThrow());
        assertEquals(0x8005, iommu.cell("phandle").orElseThrow());
        assertArrayEquals(new int[] {0, 0x8003, 0, 0x10000}, bridge.cells("msi-map").orElseThrow());
    }

    @Test
    void shouldNameOneFunctionAnEntry() throws TreeFormatException {
        DeviceTree tree = edited(WHOLE, TreeSettings.DEFAULT.functions(List.of(DISK, PciAddress.of("00:0a.0"))));
        assertArrayEquals(new int[] {0x50, 0x8005, 0x50, 1, 0x51, 0x8005, 0x51, 1},
                node(tree, "/pcie@10000000").cells("iommu-map").orElseThrow());
    }

    @Test
    void shouldWriteNoMapWithoutEntries() throws TreeFormatException {
        TreeNode bridge = node(edited(Topology.of(IommuScope.at(IOMMU).with(PciRange.of(IOMMU))),
                TreeSettings.DEFAULT), "/pcie@10000000");
        assertFalse(bridge.has("iommu-map"));
        assertTrue(bridge.child("iommu@8,0").isPresent());
    }

    /** So that the tree is the same whether QEMU was told of an IOMMU or not. */
    @Test
    void shouldTakeQemusOwnIommuAway() throws TreeFormatException {
        TreeNode root = board();
        TreeNode bridge = root.child("pcie@10000000").orElseThrow();
        bridge.put("iommu-map", 0, 0x8005, 0, 0x10, 0x11, 0x8005, 0x11, 0xffef).put("iommu-map-mask", 0xffff);
        bridge.add(new TreeNode("virtio_iommu@2,0").put("phandle", 0x8005).put("#iommu-cells", 1)
                .put("reg", 0x1000, 0, 0, 0, 0).put("compatible", "virtio,pci-iommu", "pci1af4,1057"));
        root.add(new TreeNode("rng").put("iommus", 0x8005, 3));
        DeviceTree tree = edited(root, Topology.of(), TreeSettings.DEFAULT);
        assertEquals(TreeText.of(new DeviceTree(board().add(new TreeNode("rng")), List.of(), 0)), TreeText.of(tree));
    }

    /** QEMU's board for RISC-V with its IOMMU on the system bus, and functions of ours beside. */
    @Test
    void shouldLeaveOtherIommusAlone() throws TreeFormatException {
        TreeNode root = board().add(new TreeNode("iommu@3010000").put("compatible", "riscv,iommu").put("phandle", 9)
                .put("#iommu-cells", 1)).add(new TreeNode("dma").put("iommus", 9, 1));
        root.child("pcie@10000000").orElseThrow().put("iommu-map", 0, 9, 0, 8);
        Topology topology = Topology.of(IommuScope.at(IOMMU).with(PciRange.of(DISK)));
        DeviceTree tree = edited(root, topology, TreeSettings.DEFAULT);
        assertArrayEquals(new int[] {0x51, 0x8005, 0x51, 1, 0, 9, 0, 8},
                node(tree, "/pcie@10000000").cells("iommu-map").orElseThrow());
        assertTrue(node(tree, "/dma").has("iommus"));
        refused("device tree, /pcie@10000000: expected no other IOMMU for the functions of the topology (start QEMU"
                + " without its own, or name other functions),"
                + " found entry 0x0 of iommu-map", tree, WHOLE, TreeSettings.DEFAULT);
        node(tree, "/pcie@10000000").put("iommu-map-mask", 0xfff8);
        refused("device tree, /pcie@10000000: expected no iommu-map-mask beside the functions of a virtio-iommu,"
                + " found one", tree, topology, TreeSettings.DEFAULT);
        node(tree, "/pcie@10000000").remove("iommu-map");
        refused("device tree, /pcie@10000000: expected no iommu-map-mask beside the functions of a virtio-iommu,"
                + " found one", tree, topology, TreeSettings.DEFAULT);
        node(tree, "/pcie@10000000").put("iommu-map", 1, 2, 3);
        refused("device tree, /pcie@10000000: expected an iommu-map of entries with four cells, found another length",
                tree, topology, TreeSettings.DEFAULT);
    }

    @Test
    void shouldRefuseDevicesOfOtherIommus() throws TreeFormatException {
        TreeNode root = board().add(new TreeNode("smmu").put("compatible", "arm,smmu-v3").put("phandle", 9)
                .put("#iommu-cells", 1));
        root.add(new TreeNode("virtio_mmio@a000200").put("reg", 0, 0xa000200, 0, 0x200).put("iommus", 9, 8));
        refused("device tree, /virtio_mmio@a000200: expected no other IOMMU for an endpoint of the topology,"
                + " found iommus", new DeviceTree(root, List.of(), 0), WINDOWS, TreeSettings.DEFAULT);
        root.child("virtio_mmio@a000000").orElseThrow().put("phandle", 7).put("#iommu-cells", 1);
        root.child("virtio_mmio@a000200").orElseThrow().put("iommus", 7, 8, 9, 8);
        refused("device tree, /virtio_mmio@a000200: expected no other IOMMU beside a virtio-iommu,"
                + " found iommus with phandle 9", new DeviceTree(root, List.of(), 0), WINDOWS, TreeSettings.DEFAULT);
        root.child("virtio_mmio@a000200").orElseThrow().put("iommus", 7, 8, 7, 9);
        assertArrayEquals(new int[] {7, 8}, node(edited(root, WINDOWS, TreeSettings.DEFAULT), "/virtio_mmio@a000200")
                .cells("iommus").orElseThrow());
        root.child("pcie@10000000").orElseThrow().put("iommu-map", 0x10, 9, 0x10, 0x8000_0000);
        refused("device tree, /pcie@10000000: expected no other IOMMU for the functions of the topology (start QEMU"
                + " without its own, or name other functions),"
                + " found entry 0x10 of iommu-map", new DeviceTree(root, List.of(), 0), WHOLE, TreeSettings.DEFAULT);
    }

    @Test
    void shouldDescribeWindows() throws TreeFormatException {
        DeviceTree tree = edited(WINDOWS, TreeSettings.DEFAULT.window(WindowNode.of(0xa000200, 0x200, 0, 17, 4)
                .withInterruptParent(0x8002)));
        TreeNode iommu = node(tree, "/virtio_mmio@a000000");
        assertEquals(1, iommu.cell("#iommu-cells").orElseThrow());
        assertEquals(0x8005, iommu.phandle().orElseThrow());
        assertTrue(iommu.has("dma-coherent"));
        TreeNode device = node(tree, "/virtio@a000200");
        assertEquals(List.of("compatible", "reg", "interrupt-parent", "interrupts", "dma-coherent", "iommus"),
                List.copyOf(device.properties()));
        assertArrayEquals(new int[] {0, 0xa000200, 0, 0x200}, device.cells("reg").orElseThrow());
        assertArrayEquals(new int[] {0, 17, 4}, device.cells("interrupts").orElseThrow());
        assertArrayEquals(new int[] {0x8005, 8}, device.cells("iommus").orElseThrow());
        DeviceTree without = edited(tree.root(), Topology.of(), TreeSettings.DEFAULT);
        assertFalse(node(without, "/virtio@a000200").has("iommus"));
        assertFalse(node(without, "/virtio_mmio@a000000").has("#iommu-cells"));
    }

    @Test
    void shouldRefuseToMakeAnIommuOfAnotherDevice() {
        TreeNode root = board().add(new TreeNode("serial@9000000").put("compatible", "arm,pl011", "arm,primecell")
                .put("reg", 0, 0x9000000, 0, 0x1000));
        refused("device tree, /serial@9000000: expected virtio,mmio, because an IOMMU lies there,"
                + " found arm,pl011, arm,primecell", new DeviceTree(root, List.of(), 0),
                Topology.of(IommuScope.at(new MmioBase(0x9000000))), TreeSettings.DEFAULT);
        TreeNode bridged = board();
        bridged.child("pcie@10000000").orElseThrow().add(new TreeNode("pci@5,0").put("compatible", "pciclass,0604")
                .put("reg", 0x28 << 8, 0, 0, 0, 0));
        refused("device tree, /pcie@10000000/pci@5,0: expected virtio,pci-iommu, because an IOMMU lies there,"
                + " found pciclass,0604", new DeviceTree(bridged, List.of(), 0),
                Topology.of(IommuScope.at(PciAddress.of("00:05.0"))), TreeSettings.DEFAULT);
    }

    /** What the tree says of a device that is there counts, because QEMU wrote it. */
    @Test
    void shouldLeaveRegistersAndInterruptsOfAWindowThatTheTreeHas() throws TreeFormatException {
        TreeNode root = board();
        root.child("virtio_mmio@a000000").orElseThrow().put("interrupts", 0, 16, 4);
        DeviceTree tree = edited(root, WINDOWS, TreeSettings.DEFAULT
                .window(WindowNode.of(0xa000000, 0x1000, 0, 99, 4)).window(WindowNode.of(0xa000200, 0x200, 0, 17, 4)));
        TreeNode window = node(tree, "/virtio_mmio@a000000");
        assertArrayEquals(new int[] {0, 16, 4}, window.cells("interrupts").orElseThrow());
        assertArrayEquals(new int[] {0, 0xa000000, 0, 0x200}, window.cells("reg").orElseThrow());
    }

    /** A guest that has no IOMMU, and nothing but virtio-mmio. */
    @Test
    void shouldDescribeWindowsWithoutIommu() throws TreeFormatException {
        DeviceTree tree = edited(new TreeNode("").put("#address-cells", 1).put("#size-cells", 1), Topology.of(),
                TreeSettings.DEFAULT.window(WindowNode.of(0x1000, 0x200, 1)).window(WindowNode.of(0x2000, 0x200, 2)));
        assertArrayEquals(new int[] {0x2000, 0x200}, node(tree, "/virtio@2000").cells("reg").orElseThrow());
        assertTrue(node(tree, "/virtio@1000").has("dma-coherent"));
    }

    @Test
    void shouldMarkProtectedDevicesByAProperty() throws TreeFormatException {
        TreeSettings settings = TreeSettings.DEFAULT.protect(DISK, WINDOW);
        DeviceTree tree = edited(WHOLE, settings);
        assertEquals(0, node(tree, "/pcie@10000000/dev@a,1").property("virtio4j,protected").orElseThrow().length);
        assertTrue(node(tree, "/virtio_mmio@a000000").has("virtio4j,protected"));
        assertArrayEquals(new int[] {0, 0x8005, 0, 0x40, 0x41, 0x8005, 0x41, 0x10, 0x52, 0x8005, 0x52, 0xffae},
                node(tree, "/pcie@10000000").cells("iommu-map").orElseThrow());
        Protection named = new Protection.Property("acme,dma", Optional.of("guarded"));
        assertEquals(List.of("guarded"), node(edited(WHOLE, settings.protection(named)), "/pcie@10000000/dev@a,1")
                .strings("acme,dma"));
        assertFalse(node(edited(tree.root(), WHOLE, TreeSettings.DEFAULT), "/virtio_mmio@a000000")
                .has("virtio4j,protected"));
    }

    @Test
    void shouldGiveProtectedWindowsAStub() throws TreeFormatException {
        TreeSettings settings = TreeSettings.DEFAULT.protect(WINDOW).protection(new Protection.StubIommu("acme,stub"));
        DeviceTree tree = edited(WHOLE, settings);
        TreeNode stub = node(tree, "/stub-iommu");
        assertEquals(List.of("acme,stub"), stub.strings("compatible"));
        assertEquals(0, stub.cell("#iommu-cells").orElseThrow());
        assertArrayEquals(new int[] {stub.phandle().orElseThrow()},
                node(tree, "/virtio_mmio@a000000").cells("iommus").orElseThrow());
        assertEquals(TreeText.of(tree), TreeText.of(edited(tree.root(), WHOLE, settings)));
        assertThrows(IllegalArgumentException.class, () -> edited(WHOLE, settings.protect(DISK)));
    }

    @Test
    void shouldTakeProtectionOfAnEarlierEditAway() throws TreeFormatException {
        Protection stub = new Protection.StubIommu("acme,stub");
        TreeSettings guarded = TreeSettings.DEFAULT.protect(WINDOW);
        String none = TreeText.of(edited(WHOLE, TreeSettings.DEFAULT));
        DeviceTree tree = edited(WHOLE, guarded.protection(stub));
        tree = edited(tree.root(), WHOLE, guarded);
        assertTrue(tree.find("/stub-iommu").isEmpty());
        assertTrue(node(tree, "/virtio_mmio@a000000").has("virtio4j,protected"));
        tree = edited(tree.root(), WHOLE, guarded.protection(stub));
        assertFalse(node(tree, "/virtio_mmio@a000000").has("virtio4j,protected"));
        assertEquals(none, TreeText.of(edited(tree.root(), WHOLE, TreeSettings.DEFAULT)));
    }

    @Test
    void shouldPutFunctionsBelowOtherBridgesIntoTheirNodes() throws TreeFormatException {
        PciAddress far = PciAddress.of("01:00.0");
        Topology topology = Topology.of(IommuScope.at(far).with(PciRange.of(DISK)));
        TreeNode root = board();
        root.child("pcie@10000000").orElseThrow().add(new TreeNode("pci@1,0").add(new TreeNode("iommu@0,0")));
        TreeSettings settings = TreeSettings.DEFAULT.node(far, "/pcie@10000000/pci@1,0/iommu@0,0");
        assertEquals(0x8005, node(edited(root, topology, settings), "/pcie@10000000/pci@1,0/iommu@0,0").phandle()
                .orElseThrow());
        assertEquals("function=01:00.0: it is not on the first bus of /pcie@10000000; set its node",
                assertThrows(IllegalArgumentException.class, () -> edited(topology, TreeSettings.DEFAULT))
                        .getMessage());
    }

    @Test
    void shouldSayWhatIsMissingForAnOverlay() {
        refused("segment=0: the tree needs its host bridge; set it by TreeSettings.bridge", WHOLE,
                TreeSettings.DEFAULT);
        refused("device=0xa000000: the tree needs its node or its window; set one by TreeSettings.node or window",
                WINDOWS, TreeSettings.DEFAULT);
        TreeSettings bridge = TreeSettings.DEFAULT.bridge(0, "/pcie@10000000");
        refused("function=00:0a.1: no IOMMU of the topology manages it", WINDOWS,
                bridge.functions(List.of(DISK)).node(WINDOW, "/a").node(OTHER_WINDOW, "/b"));
        refused("function=00:0a.1: a protected device is no endpoint", WHOLE,
                bridge.functions(List.of(DISK)).protect(DISK));
        refused("endpoint=" + new MmioEndpoint(OTHER_WINDOW, 8) + ": a protected device is no endpoint", WINDOWS,
                TreeSettings.DEFAULT.node(WINDOW, "/a").protect(OTHER_WINDOW));
        refused("device=00:08.0: an IOMMU cannot be protected", WHOLE, bridge.protect(IOMMU));
        refused("phandle=7: two IOMMUs have it", Topology.of(IommuScope.at(IOMMU), IommuScope.at(WINDOW)),
                bridge.phandle(IOMMU, 7).phandle(WINDOW, 7));
    }

    @Test
    void shouldRefusePhandleOfAnotherNode() {
        assertEquals("phandle=32770: /intc has it", assertThrows(IllegalArgumentException.class,
                () -> edited(WHOLE, TreeSettings.DEFAULT.phandle(IOMMU, 0x8002))).getMessage());
    }

    @Test
    void shouldRefuseNodeThatIsNotThere() {
        refused("device tree, /pci@1: expected a node, found none", new DeviceTree(board(), List.of(), 0), WHOLE,
                TreeSettings.DEFAULT.bridge(0, "/pci@1"));
    }

    @Test
    void shouldRefuseSettingsThatNoTreeCanHave() {
        for (String path : List.of("", "soc", "/soc/", "//", "/a b")) {
            assertThrows(IllegalArgumentException.class, () -> TreeSettings.DEFAULT.bridge(0, path), path);
        }
        assertThrows(IllegalArgumentException.class, () -> TreeSettings.DEFAULT.phandle(IOMMU, 0));
        assertThrows(IllegalArgumentException.class, () -> TreeSettings.DEFAULT.phandle(IOMMU, -1));
        assertThrows(IllegalArgumentException.class, () -> WindowNode.of(0x1000, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> WindowNode.of(-0x100L, 0x200, 1));
        assertThrows(IllegalArgumentException.class, () -> new Protection.Property("protected", Optional.empty()));
        for (String name : List.of("a,b c", "a,b;c", "a,", ",b", "a,\"b")) {
            assertThrows(IllegalArgumentException.class, () -> new Protection.Property(name, Optional.empty()), name);
        }
        assertThrows(IllegalArgumentException.class, () -> new Protection.StubIommu(""));
        assertThrows(IllegalArgumentException.class, () -> edited(new TreeNode("").put("#address-cells", 1),
                Topology.of(), TreeSettings.DEFAULT.window(WindowNode.of(0x1_0000_0000L, 0x200, 1))));
    }

    @Test
    void shouldSayInAnOverlayWhereReferencesAre() throws TreeFormatException {
        TreeSettings settings = TreeSettings.DEFAULT.bridge(0, "/pcie@10000000").phandle(IOMMU, 9)
                .node(WINDOW, "/virtio_mmio@a000000").protect(DISK);
        Topology topology = Topology.of(IommuScope.at(IOMMU).with(PciRange.ofSegment(0, 0))
                .with(new MmioEndpoint(WINDOW, 0x10000)));
        DeviceTree overlay = DeviceTree.read(TopologyTree.overlay(topology, settings));
        assertEquals(List.of("/pcie@10000000"), node(overlay, "/fragment@0").strings("target-path"));
        assertArrayEquals(new int[] {4, 20, 36},
                node(overlay, "/__local_fixups__/fragment@0/__overlay__").cells("iommu-map").orElseThrow());
        assertArrayEquals(new int[] {0},
                node(overlay, "/__local_fixups__/fragment@1/__overlay__").cells("iommus").orElseThrow());
    }

    @Test
    void shouldWriteTheSourceOfAnOverlay() {
        TreeSettings settings = TreeSettings.DEFAULT.bridge(0, "/pcie@10000000").phandle(IOMMU, 9)
                .node(WINDOW, "/virtio_mmio@a000000").protect(DISK);
        Topology topology = Topology.of(IommuScope.at(IOMMU).with(PciRange.of(PciAddress.of("00:09.0")))
                .with(new MmioEndpoint(WINDOW, 0x10000)));
        assertEquals("""
                /dts-v1/;
                /plugin/;

                / {
                    fragment@0 {
                        target-path = "/pcie@10000000";
                        __overlay__ {
                            iommu-map = <0x48 &iommu0 0x48 0x1>;
                            iommu0: iommu@8,0 {
                                compatible = "virtio,pci-iommu", "pci1af4,1057";
                                reg = <0x4000 0x0 0x0 0x0 0x0>;
                                #iommu-cells = <0x1>;
                                phandle = <0x9>;
                            };
                            dev@a,1 {
                                reg = <0x5100 0x0 0x0 0x0 0x0>;
                                virtio4j,protected;
                            };
                        };
                    };
                    fragment@1 {
                        target-path = "/virtio_mmio@a000000";
                        __overlay__ {
                            dma-coherent;
                            iommus = <&iommu0 0x10000>;
                        };
                    };
                };
                """, TopologyTree.source(topology, settings));
    }

    /** Whatever a damaged tree says, an edit ends as it should. */
    @Test
    void shouldSurviveDamage() {
        TreeNode root = board().add(new TreeNode("soc").put("#address-cells", 2).put("ranges", new byte[0]));
        root.child("pcie@10000000").orElseThrow().put("iommu-map", 0, 9, 0, 1).put("iommu-map-mask", 0xffff);
        byte[] whole = new DeviceTree(root.put("iommus", 9, 1), List.of(), 0).write();
        TreeSettings settings = TreeSettings.DEFAULT.protect(DISK).window(WindowNode.of(0xb000000, 0x200, 1));
        Topology topology = Topology.of(IommuScope.at(IOMMU).with(PciRange.of(PciAddress.of("00:09.0")))
                .with(new MmioEndpoint(WINDOW, 0x10000)));
        Random random = new Random(RandomTree.seed());
        int edited = 0;
        for (int count = 0; count < DAMAGED; count++) {
            byte[] blob = whole.clone();
            ByteBuffer.wrap(blob).putInt(random.nextInt(blob.length / 4) * 4,
                    random.nextInt(random.nextBoolean() ? 12 : Integer.MAX_VALUE) - 2);
            try {
                DeviceTree.read(TopologyTree.edit(blob, topology, settings));
                edited++;
            } catch (TreeFormatException | IllegalArgumentException refusal) {
                assertFalse(String.valueOf(refusal.getMessage()).isEmpty());
            }
        }
        assertTrue(edited > 0);
    }

    @Test
    void shouldFindSegmentsOfBridgesWithoutNumbers() throws TreeFormatException {
        TreeNode root = new TreeNode("").add(pci("pci@1").put("bus-range", 0x10, 0x1f))
                .add(pci("pci@2").put("linux,pci-domain", 0)).add(pci("pci@3"));
        PciAddress iommu = PciAddress.of("0001:10:00.0");
        Location last = PciAddress.of("0002:00:00.0");
        DeviceTree tree = edited(root, Topology.of(IommuScope.at(iommu), IommuScope.at(last)), TreeSettings.DEFAULT);
        assertTrue(tree.find("/pci@1/iommu@0,0").isPresent());
        assertTrue(tree.find("/pci@3/iommu@0,0").isPresent());
    }

    private static TreeNode pci(String name) {
        return new TreeNode(name).put("device_type", "pci");
    }

    /** What QEMU's board for arm64 has, as far as it matters. */
    private static TreeNode board() {
        return new TreeNode("").put("#address-cells", 2).put("#size-cells", 2)
                .add(new TreeNode("virtio_mmio@a000000").put("compatible", "virtio,mmio")
                        .put("reg", 0, 0xa000000, 0, 0x200))
                .add(new TreeNode("intc").put("phandle", 0x8002).put("ranges", new byte[0]))
                .add(new TreeNode("clock").put("phandle", 0x8004))
                .add(pci("pcie@10000000").put("linux,pci-domain", 0).put("bus-range", 0, 0xff)
                        .put("msi-map", 0, 0x8003, 0, 0x10000));
    }

    private static DeviceTree edited(Topology topology, TreeSettings settings) throws TreeFormatException {
        return edited(board(), topology, settings);
    }

    /** Through a blob with free space. */
    private static DeviceTree edited(TreeNode root, Topology topology, TreeSettings settings)
            throws TreeFormatException {
        byte[] blob = new DeviceTree(root, List.of(), 0).write();
        return DeviceTree.read(TopologyTree.edit(Arrays.copyOf(blob, 1 << 16), topology, settings));
    }

    private static TreeNode node(DeviceTree tree, String path) {
        return tree.find(path).orElseThrow();
    }

    private static void refused(String message, Topology topology, TreeSettings settings) {
        assertEquals(message, assertThrows(IllegalArgumentException.class,
                () -> TopologyTree.overlay(topology, settings)).getMessage());
    }

    private static void refused(String message, DeviceTree tree, Topology topology, TreeSettings settings) {
        byte[] blob = tree.write();
        TreeFormatException refusal = assertThrows(TreeFormatException.class,
                () -> TopologyTree.edit(blob, topology, settings));
        assertEquals(message, refusal.getMessage());
        assertEquals(-1, refusal.offset());
    }
}
