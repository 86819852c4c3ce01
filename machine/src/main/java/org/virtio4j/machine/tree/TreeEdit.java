// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.Topology;

/**
 * Changes a tree so that of all IOMMUs of virtio it describes those of a topology alone. IOMMUs of other kinds, such as
 * those that QEMU emulates for itself, stay.
 */
final class TreeEdit {

    private static final String WINDOW = "virtio,mmio";
    private static final String COMPATIBLE = "compatible";
    /** Cells of a device's reference to a virtio-iommu: phandle and endpoint. */
    private static final int ID_CELLS = 2;

    private final DeviceTree tree;
    private final Topology topology;
    private final TreeSettings settings;
    /** The phandles of what this project, or QEMU, calls an IOMMU. */
    private final Set<Integer> former = new HashSet<>();

    private TreeEdit(DeviceTree tree, Topology topology, TreeSettings settings) {
        this.tree = tree;
        this.topology = topology;
        this.settings = settings;
    }

    static void edit(DeviceTree tree, Topology topology, TreeSettings settings) throws TreeFormatException {
        new TreeEdit(tree, topology, settings).edit();
    }

    private void edit() throws TreeFormatException {
        tree.nodes().filter(this::isFormerIommu).forEach(node -> node.phandle().ifPresent(former::add));
        Set<TreeNode> named = named();
        removeIommus(tree.root(), named);
        removeReferences();
        TreeSettings found = TreeSearch.complete(tree, topology, settings);
        requireIommus(found);
        Map<TreeNode, TreeNode> merges = new LinkedHashMap<>();
        for (Map.Entry<String, TreeNode> merge : TopologyNodes.of(topology, found).entrySet()) {
            merges.computeIfAbsent(target(merge.getKey()), _ -> new TreeNode("")).merge(merge.getValue());
        }
        for (Map.Entry<TreeNode, TreeNode> merge : merges.entrySet()) {
            requireNoOther(merge.getKey(), merge.getValue());
            addOthers(merge.getKey(), merge.getValue());
            merge.getKey().merge(merge.getValue());
        }
    }

    /** An address that was mistyped must not make an IOMMU of a serial port, or of a bridge. */
    private void requireIommus(TreeSettings found) throws TreeFormatException {
        for (IommuScope scope : topology.scopes()) {
            Optional<TreeNode> node = found.node(scope.location()).flatMap(tree::find);
            if (node.isPresent()) {
                requireIommu(scope.location(), node.get());
            }
        }
    }

    /** A function may have a node that does not say what it is, because it says so itself. */
    private void requireIommu(Location location, TreeNode node) throws TreeFormatException {
        boolean fits = location instanceof MmioBase ? node.isCompatible(WINDOW)
                : isPciIommu(node) || !node.has(COMPATIBLE);
        if (!fits) {
            throw fault(node, (location instanceof MmioBase ? WINDOW : TopologyNodes.PCI_IOMMU)
                    + ", because an IOMMU lies there", String.join(", ", node.strings(COMPATIBLE)));
        }
    }

    private TreeNode target(String path) throws TreeFormatException {
        return tree.find(path).orElseThrow(() -> new TreeFormatException(path, "a node", "none"));
    }

    /** Nodes that the settings name stay, even if they are those of an IOMMU. */
    private Set<TreeNode> named() {
        Set<TreeNode> named = new HashSet<>();
        topology.scopes().forEach(scope -> settings.node(scope.location()).flatMap(tree::find).ifPresent(named::add));
        return named;
    }

    private boolean isFormerIommu(TreeNode node) {
        return isPciIommu(node) || isStub(node)
                || (node.isCompatible(WINDOW) && node.has(TopologyNodes.IOMMU_CELLS));
    }

    private static boolean isPciIommu(TreeNode node) {
        return node.isCompatible(TopologyNodes.PCI_IOMMU) || node.isCompatible(TopologyNodes.PCI_IOMMU_ID);
    }

    /** The stub of an earlier edit, whatever the settings of that were. */
    private static boolean isStub(TreeNode node) {
        return node.has(TopologyNodes.STUB_MARK);
    }

    private void removeIommus(TreeNode node, Set<TreeNode> named) {
        for (TreeNode child : node.children()) {
            if ((isPciIommu(child) || isStub(child)) && !named.contains(child)) {
                node.removeChild(child.name());
            } else {
                removeIommus(child, named);
            }
        }
        if (node.isCompatible(WINDOW)) {
            node.remove(TopologyNodes.IOMMU_CELLS);
        }
        node.remove(Protection.DEFAULT_NAME);
        if (settings.protection() instanceof Protection.Property property) {
            node.remove(property.name());
        }
    }

    private void removeReferences() throws TreeFormatException {
        for (TreeNode node : tree.nodes().toList()) {
            if (node.has(TopologyNodes.IOMMUS)) {
                removeIds(node);
            }
            if (node.has(IommuMap.PROPERTY)) {
                removeEntries(node);
            }
        }
    }

    /** How many cells follow the phandle of another IOMMU is not known here, so such a mixture is refused. */
    private void removeIds(TreeNode device) throws TreeFormatException {
        int[] cells = device.cells(TopologyNodes.IOMMUS).orElse(new int[0]);
        if (cells.length == 0 || !former.contains(cells[0])) {
            return;
        }
        for (int at = ID_CELLS; at < cells.length; at += ID_CELLS) {
            if (!former.contains(cells[at])) {
                throw fault(device, "no other IOMMU beside a virtio-iommu", "iommus with phandle "
                        + Integer.toUnsignedLong(cells[at]));
            }
        }
        device.remove(TopologyNodes.IOMMUS);
    }

    private void removeEntries(TreeNode bridge) throws TreeFormatException {
        int[] cells = bridge.cells(IommuMap.PROPERTY).orElse(new int[1]);
        if (cells.length % IommuMap.ENTRY_CELLS != 0) {
            throw fault(bridge, "an iommu-map of entries with four cells", "another length");
        }
        List<IommuMap.Entry> others = new ArrayList<>(IommuMap.entries(cells));
        others.removeIf(entry -> former.contains(entry.phandle()));
        if (others.isEmpty()) {
            bridge.remove(IommuMap.PROPERTY);
            bridge.remove(IommuMap.MASK);
        } else {
            bridge.put(IommuMap.PROPERTY, IommuMap.cells(others));
        }
    }

    /** What the device's node still says is said of an IOMMU of another kind. */
    private void requireNoOther(TreeNode device, TreeNode merge) throws TreeFormatException {
        if (merge.has(TopologyNodes.IOMMUS) && device.has(TopologyNodes.IOMMUS)) {
            throw fault(device, "no other IOMMU for an endpoint of the topology", "iommus");
        }
    }

    /** Adds to a new {@code iommu-map} the entries for IOMMUs of other kinds. */
    private void addOthers(TreeNode bridge, TreeNode merge) throws TreeFormatException {
        if (!merge.has(IommuMap.PROPERTY)) {
            return;
        }
        if (bridge.has(IommuMap.MASK)) {
            throw fault(bridge, "no iommu-map-mask beside the functions of a virtio-iommu", "one");
        }
        List<IommuMap.Entry> entries = entries(merge);
        List<IommuMap.Entry> others = entries(bridge);
        for (IommuMap.Entry other : others) {
            if (entries.stream().anyMatch(other::overlaps)) {
                throw fault(bridge, "no other IOMMU for the functions of the topology (start QEMU without its own, or"
                        + " name other functions)", "entry 0x" + Integer.toHexString(other.requester())
                        + " of iommu-map");
            }
        }
        entries.addAll(others);
        merge.put(IommuMap.PROPERTY, IommuMap.cells(entries));
    }

    private static List<IommuMap.Entry> entries(TreeNode node) {
        return IommuMap.entries(node.cells(IommuMap.PROPERTY).orElse(new int[0]));
    }

    private TreeFormatException fault(TreeNode node, String expected, String found) {
        return new TreeFormatException(tree.path(node).orElse(node.name()), expected, found);
    }
}
