// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeNode;
import org.virtio4j.machine.tree.TreeSettings;
import org.virtio4j.machine.tree.WindowNode;

/** What the guide shows of device trees does what the guide says. */
class GuideTreeTest {

    private static final Topology SEGMENT =
            Topology.of(IommuScope.at(PciAddress.of("00:01.0")).with(PciRange.ofSegment(0, 0)));

    @Test
    void shouldEditATreeThatQemuDumped() throws TreeFormatException {
        Topology topology = SEGMENT;
        byte[] dumped = Arrays.copyOf(board().write(), 1 << 20);
        // guide: begin
        List<PciAddress> plugged = List.of(PciAddress.of("00:02.0"), PciAddress.of("00:03.0"));
        byte[] tree = TopologyTree.edit(dumped, topology, TreeSettings.DEFAULT.functions(plugged));
        // guide: end
        assertTrue(tree.length < 1000);
        assertArrayEquals(new int[] {0x10, 1, 0x10, 1, 0x18, 1, 0x18, 1},
                DeviceTree.read(tree).find("/pcie").orElseThrow().cells("iommu-map").orElseThrow());
    }

    @Test
    void shouldWriteAnOverlay() throws TreeFormatException {
        Topology topology = SEGMENT;
        // guide: begin
        TreeSettings settings = TreeSettings.DEFAULT.bridge(0, "/pcie@30000000");
        byte[] overlay = TopologyTree.overlay(topology, settings);       // for fdtoverlay, U-Boot, Linux
        String source = TopologyTree.source(topology, settings);        // for dtc: the same
        // guide: end
        assertTrue(source.contains("iommu-map = <0x0 &iommu0 0x0 0x8>, <0x9 &iommu0 0x9 0xfff7>;"), source);
        assertTrue(DeviceTree.read(overlay).find("/__local_fixups__/fragment").isPresent());
    }

    @Test
    void shouldDescribeWindowsAlone() throws TreeFormatException {
        byte[] board = board().write();
        // guide: begin
        DeviceTree tree = DeviceTree.read(board);
        TopologyTree.edit(tree, Topology.of(), TreeSettings.DEFAULT
                .window(WindowNode.of(0x1000_0000L, 0x200, 1))           // address, size, cells of the interrupt
                .window(WindowNode.of(0x1000_0200L, 0x200, 2)));
        byte[] blob = tree.write();
        // guide: end
        TreeNode window = DeviceTree.read(blob).find("/virtio@10000200").orElseThrow();
        assertEquals(2, window.cell("interrupts").orElseThrow());
        assertTrue(window.has("dma-coherent"));
    }

    private static DeviceTree board() {
        TreeNode root = new TreeNode("").put("#address-cells", 2).put("#size-cells", 2)
                .add(new TreeNode("pcie@30000000").put("device_type", "pci"));
        return new DeviceTree(root, List.of(), 0);
    }
}
