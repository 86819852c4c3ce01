// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;

/**
 * Finds in a tree what settings leave open: host bridges, nodes of devices, where windows go, free phandles. QEMU's
 * boards {@code virt} for arm64 and riscv64 need no settings.
 */
final class TreeSearch {

    /** What holds where a node does not say it (Devicetree Specification 0.4, section 2.3.5). */
    private static final int DEFAULT_ADDRESS_CELLS = 2;
    private static final int DEFAULT_SIZE_CELLS = 1;
    /** Phandles for other nodes than those of IOMMUs. */
    private static final int STUBS = 1;

    private final DeviceTree tree;
    private final HostBridges bridges;
    private TreeSettings settings;

    private TreeSearch(DeviceTree tree, TreeSettings settings) {
        this.tree = tree;
        this.bridges = HostBridges.of(tree);
        this.settings = settings;
    }

    /** The settings, with what the tree has. What it does not have stays open. */
    static TreeSettings complete(DeviceTree tree, Topology topology, TreeSettings settings) {
        TreeSearch search = new TreeSearch(tree,
                settings.firstPhandle(tree.freePhandles(topology.scopes().size() + STUBS)));
        search.segments(topology).forEach(search::findBridge);
        topology.scopes().forEach(search::findNodes);
        settings.protectedDevices().forEach(search::findNode);
        settings.windows().forEach(window -> search.findNode(window.base()));
        if (settings.bus().isEmpty()) {
            search.findBus();
        }
        return search.settings;
    }

    private Set<Integer> segments(Topology topology) {
        Set<Integer> segments = new TreeSet<>();
        for (IommuScope scope : topology.scopes()) {
            scope.ranges().stream().map(PciRange::segment).forEach(segments::add);
            addSegment(scope.location(), segments);
        }
        settings.functions().ifPresent(functions -> functions.forEach(function -> addSegment(function, segments)));
        settings.protectedDevices().forEach(device -> addSegment(device, segments));
        return segments;
    }

    private static void addSegment(Location location, Set<Integer> segments) {
        if (location instanceof PciAddress address) {
            segments.add(address.segment());
        }
    }

    private void findBridge(int segment) {
        if (settings.bridge(segment).isEmpty()) {
            bridges.of(segment).ifPresent(bridge -> settings = settings.bridge(segment,
                    tree.path(bridge).orElseThrow(), HostBridges.firstBus(bridge)));
        }
    }

    private void findNodes(IommuScope scope) {
        Location iommu = scope.location();
        findNode(iommu);
        Optional<TreeNode> node = settings.node(iommu).flatMap(tree::find);
        settings.phandle(iommu).ifPresentOrElse(phandle -> requireFree(phandle, node), () -> node
                .flatMap(TreeNode::phandle).ifPresent(phandle -> settings = settings.phandle(iommu, phandle)));
        scope.endpoints().forEach(endpoint -> findNode(endpoint.base()));
    }

    private void requireFree(int phandle, Optional<TreeNode> node) {
        Optional<TreeNode> holder = tree.find(phandle).filter(found -> !node.equals(Optional.of(found)));
        if (holder.isPresent()) {
            throw new IllegalArgumentException("phandle=" + Integer.toUnsignedLong(phandle) + ": "
                    + tree.path(holder.get()).orElseThrow() + " has it");
        }
    }

    private void findNode(Location location) {
        if (settings.node(location).isPresent()) {
            return;
        }
        Optional<TreeNode> node = switch (location) {
            case PciAddress address -> settings.bridge(address.segment()).flatMap(bridge -> tree.find(bridge.path()))
                    .flatMap(bridge -> HostBridges.function(bridge, address.bdf()));
            case MmioBase base -> device(tree.root(), base.address());
        };
        node.flatMap(tree::path).ifPresent(path -> settings = settings.node(location, path));
    }

    /** The node whose registers begin at an address, on a bus where addresses are those of the guest's memory. */
    private static Optional<TreeNode> device(TreeNode bus, long address) {
        for (TreeNode child : bus.children()) {
            if (begins(bus, child, address)) {
                return Optional.of(child);
            }
            Optional<TreeNode> below = isSameSpace(child) ? device(child, address) : Optional.empty();
            if (below.isPresent()) {
                return below;
            }
        }
        return Optional.empty();
    }

    private static boolean begins(TreeNode bus, TreeNode node, long address) {
        int cells = addressCells(bus);
        return (cells == 1 || cells == 2) && sizeCells(bus) > 0 && node.cells("reg")
                .filter(reg -> reg.length > cells && address(reg, cells) == address).isPresent();
    }

    private static long address(int[] reg, int cells) {
        long low = Integer.toUnsignedLong(reg[cells - 1]);
        return cells == 1 ? low : (long) reg[0] << Integer.SIZE | low;
    }

    /** Empty {@code ranges} say that addresses below are those above. */
    private static boolean isSameSpace(TreeNode node) {
        return !HostBridges.isPci(node) && node.property("ranges").filter(ranges -> ranges.length == 0).isPresent();
    }

    private void findBus() {
        TreeNode bus = tree.nodes().filter(node -> node.children().stream()
                .anyMatch(child -> child.isCompatible("virtio,mmio"))).findFirst()
                .or(() -> tree.find("/soc").filter(TreeSearch::isSameSpace)).orElse(tree.root());
        settings = settings.windowsBelow(tree.path(bus).orElseThrow(), addressCells(bus), sizeCells(bus));
    }

    private static int addressCells(TreeNode bus) {
        return bus.cell("#address-cells").orElse(DEFAULT_ADDRESS_CELLS);
    }

    private static int sizeCells(TreeNode bus) {
        return bus.cell("#size-cells").orElse(DEFAULT_SIZE_CELLS);
    }
}
