// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The host bridges of a tree by their segments. A bridge without {@code linux,pci-domain} has the lowest number that no
 * other has, in the order of the tree, as Linux counts.
 */
final class HostBridges {

    private static final String SEGMENT = "linux,pci-domain";
    private static final int LAST_BDF = 0xffff;
    private static final int BDF_SHIFT = 8;

    private final Map<Integer, TreeNode> bySegment = new HashMap<>();

    private HostBridges() {
    }

    static HostBridges of(DeviceTree tree) {
        List<TreeNode> bridges = new ArrayList<>();
        collect(tree.root(), bridges);
        HostBridges found = new HostBridges();
        for (TreeNode bridge : bridges) {
            bridge.cell(SEGMENT).ifPresent(segment -> found.bySegment.putIfAbsent(segment, bridge));
        }
        int next = 0;
        for (TreeNode bridge : bridges) {
            if (bridge.cell(SEGMENT).isEmpty()) {
                while (found.bySegment.containsKey(next)) {
                    next++;
                }
                found.bySegment.put(next, bridge);
            }
        }
        return found;
    }

    /** A bridge that is below another one is no host bridge. */
    private static void collect(TreeNode node, List<TreeNode> bridges) {
        if (isPci(node)) {
            bridges.add(node);
        } else {
            node.children().forEach(child -> collect(child, bridges));
        }
    }

    static boolean isPci(TreeNode node) {
        return node.strings("device_type").equals(List.of("pci"));
    }

    Optional<TreeNode> of(int segment) {
        return Optional.ofNullable(bySegment.get(segment));
    }

    static int firstBus(TreeNode bridge) {
        return bridge.cells("bus-range").filter(range -> range.length == 2).map(range -> range[0]).orElse(0);
    }

    /** The child for a function. */
    static Optional<TreeNode> function(TreeNode bridge, int bdf) {
        return bridge.children().stream().filter(child -> child.cells("reg")
                .filter(reg -> reg.length > 0 && (reg[0] >>> BDF_SHIFT & LAST_BDF) == bdf).isPresent()).findFirst();
    }
}
