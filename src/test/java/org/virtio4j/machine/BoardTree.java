// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TreeNode;
import org.virtio4j.machine.tree.TreeSettings;
import org.virtio4j.machine.tree.WindowNode;

/** The device tree of a board that has host bridges and windows of virtio-mmio, and knows of no IOMMU. */
final class BoardTree {

    private final TreeNode root = new TreeNode("").put("#address-cells", 2).put("#size-cells", 2)
            .put("compatible", "test,board").put("interrupt-parent", 1);
    private final TreeNode soc = new TreeNode("soc").put("#address-cells", 2).put("#size-cells", 2)
            .put("compatible", "simple-bus").put("ranges", new byte[0]);
    private final List<WindowNode> windows = new ArrayList<>();
    private TreeSettings settings = TreeSettings.DEFAULT.windowsBelow("/soc", 2, 2);

    /** With an interrupt controller, whose phandle is 1. */
    BoardTree() {
        root.add(new TreeNode("interrupt-controller").put("phandle", 1).put("#interrupt-cells", 1)
                .put("interrupt-controller", new byte[0])).add(soc);
    }

    /** A board with all that a topology needs; some windows have their nodes already. */
    static BoardTree of(Topology topology, Random random) {
        BoardTree board = new BoardTree();
        int segments = 1 + topology.scopes().stream().flatMap(scope -> scope.ranges().stream())
                .mapToInt(PciRange::segment).max().orElse(0);
        for (IommuScope scope : topology.scopes()) {
            if (scope.location() instanceof PciAddress address) {
                segments = Math.max(segments, 1 + address.segment());
            } else if (scope.location() instanceof MmioBase base) {
                board.window(base, random.nextBoolean());
            }
            scope.endpoints().forEach(endpoint -> board.window(endpoint.base(), random.nextBoolean()));
        }
        boolean numbered = random.nextBoolean();
        for (int segment = 0; segment < segments; segment++) {
            board.bridge(segment, numbered);
        }
        return board;
    }

    void bridge(int segment, boolean numbered) {
        String name = "pci@" + Long.toHexString(0x1_0000_0000L * (segment + 1));
        TreeNode bridge = new TreeNode(name).put("device_type", "pci").put("#address-cells", 3).put("#size-cells", 2)
                .put("reg", 0, segment + 1, 0, 0x1000_0000).put("bus-range", 0, 255);
        soc.add(numbered ? bridge.put("linux,pci-domain", segment) : bridge);
        settings = settings.bridge(segment, "/soc/" + name);
    }

    void window(MmioBase base, boolean exists) {
        if (!exists) {
            windows.add(WindowNode.of(base.address(), 0x200, 7));
            settings = settings.window(windows.getLast());
            return;
        }
        String name = "virtio_mmio@" + base.toString().substring(2);
        soc.add(new TreeNode(name).put("compatible", "virtio,mmio").put("interrupts", 7)
                .put("reg", (int) (base.address() >>> 32), (int) base.address(), 0, 0x200));
        settings = settings.node(base, "/soc/" + name);
    }

    byte[] blob() {
        return new DeviceTree(root, List.of(), 0).write();
    }

    /** What an edit must be told: windows that have no nodes. All else it can find. */
    TreeSettings windowsAlone() {
        TreeSettings alone = TreeSettings.DEFAULT;
        for (WindowNode window : windows) {
            alone = alone.window(window);
        }
        return alone;
    }

    /** What an overlay for the board must be told. */
    TreeSettings settings() {
        return settings;
    }
}
