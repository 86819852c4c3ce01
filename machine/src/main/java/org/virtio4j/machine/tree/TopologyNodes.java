// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;

/**
 * What a tree has to get so that it describes a topology: for each node that exists, the properties and children to be
 * merged into it. An overlay, its source text and an edit are three ways to say the same.
 */
final class TopologyNodes {

    static final String IOMMU_CELLS = "#iommu-cells";
    static final String IOMMUS = "iommus";
    static final String PHANDLE = "phandle";
    static final String COHERENT = "dma-coherent";
    static final String PCI_IOMMU = "virtio,pci-iommu";
    static final String PCI_IOMMU_ID = "pci1af4,1057";
    private static final String STUB = "stub-iommu";
    /** Says of a stub that it was made here, whatever drivers know it by. */
    static final String STUB_MARK = "virtio4j,stub";
    /** A function's {@code reg} begins with its BDF in bits 23..8. The other four cells are 0. */
    private static final int BDF_SHIFT = 8;

    private final Topology topology;
    private final TreeSettings settings;
    private final TreeSettings.Bus bus;
    private final Map<Location, Integer> phandles = new HashMap<>();
    private final Map<String, TreeNode> merges = new LinkedHashMap<>();
    private final Set<Integer> takenPhandles = new HashSet<>();
    private int nextPhandle;

    private TopologyNodes(Topology topology, TreeSettings settings) {
        this.topology = topology;
        this.settings = settings;
        this.bus = settings.bus().orElse(TreeSettings.Bus.ROOT);
        this.nextPhandle = settings.firstPhandle();
    }

    /**
     * What is to be merged.
     *
     * @return nodes without names, by the paths of the nodes that they are merged into
     */
    static Map<String, TreeNode> of(Topology topology, TreeSettings settings) {
        TopologyNodes nodes = new TopologyNodes(topology, settings);
        nodes.choosePhandles();
        nodes.addMaps();
        topology.scopes().forEach(nodes::addIommu);
        topology.scopes().forEach(nodes::addWindows);
        settings.windows().forEach(window -> nodes.device(window.base()));
        nodes.addProtected();
        return nodes.merges;
    }

    private void choosePhandles() {
        for (IommuScope scope : topology.scopes()) {
            settings.phandle(scope.location()).ifPresent(phandle -> {
                if (!takenPhandles.add(phandle)) {
                    throw new IllegalArgumentException("phandle=" + phandle + ": two IOMMUs have it");
                }
                phandles.put(scope.location(), phandle);
            });
        }
        for (IommuScope scope : topology.scopes()) {
            phandles.computeIfAbsent(scope.location(), _ -> freePhandle());
        }
    }

    private int freePhandle() {
        while (!takenPhandles.add(nextPhandle)) {
            nextPhandle++;
        }
        return nextPhandle;
    }

    private void addMaps() {
        IommuMap map = new IommuMap(topology, settings, phandles);
        for (int segment : map.segments()) {
            List<IommuMap.Entry> entries = map.of(segment);
            if (!entries.isEmpty()) { // Linux complains of an empty map
                mergeInto(bridge(segment).path()).put(IommuMap.PROPERTY, IommuMap.cells(entries));
            }
        }
    }

    private void addIommu(IommuScope scope) {
        int phandle = phandles.getOrDefault(scope.location(), 0);
        TreeNode node = switch (scope.location()) {
            case PciAddress address -> function(address, "iommu", PCI_IOMMU, PCI_IOMMU_ID);
            case MmioBase base -> device(base).put(COHERENT, PropertyValue.empty());
        };
        node.put(IOMMU_CELLS, 1).put(PHANDLE, phandle);
    }

    private void addWindows(IommuScope scope) {
        for (MmioEndpoint endpoint : scope.endpoints()) {
            if (settings.isProtected(endpoint.base())) {
                throw new IllegalArgumentException("endpoint=" + endpoint + ": a protected device is no endpoint");
            }
            device(endpoint.base()).put(COHERENT, PropertyValue.empty())
                    .put(IOMMUS, phandles.getOrDefault(scope.location(), 0), endpoint.endpoint());
        }
    }

    private void addProtected() {
        if (settings.protectedDevices().isEmpty()) {
            return;
        }
        switch (settings.protection()) {
            case Protection.Property property -> {
                for (Location device : settings.protectedDevices()) {
                    node(device).put(property.name(), property.bytes());
                }
            }
            case Protection.StubIommu stub -> addStub(stub);
        }
    }

    private void addStub(Protection.StubIommu stub) {
        int phandle = freePhandle();
        child("/", new TreeNode(STUB)).put("compatible", stub.compatible()).put(IOMMU_CELLS, 0).put(PHANDLE, phandle)
                .put(STUB_MARK, PropertyValue.empty());
        for (Location device : settings.protectedDevices()) {
            if (!(device instanceof MmioBase base)) {
                throw new IllegalArgumentException("device=" + device
                        + ": a stub IOMMU is for devices that are not on PCI; use Protection.Property");
            }
            device(base).put(IOMMUS, phandle);
        }
    }

    private TreeNode node(Location device) {
        if (topology.scope(device).isPresent()) {
            throw new IllegalArgumentException("device=" + device + ": an IOMMU cannot be protected");
        }
        return switch (device) {
            case PciAddress address -> function(address, "dev");
            case MmioBase base -> device(base);
        };
    }

    /** The node of a function, which is made below that of its host bridge if there is none. */
    private TreeNode function(PciAddress address, String name, String... compatible) {
        if (settings.node(address).isPresent()) {
            return compatible(mergeInto(settings.node(address).get()), compatible);
        }
        TreeSettings.Bridge bridge = bridge(address.segment());
        if (bridge.firstBus() != address.bus()) {
            throw new IllegalArgumentException("function=" + address + ": it is not on the first bus of "
                    + bridge.path() + "; set its node");
        }
        String unit = "@" + Integer.toHexString(address.device()) + "," + address.function();
        TreeNode node = new TreeNode(name + unit);
        return child(bridge.path(), compatible(node, compatible).put("reg", address.bdf() << BDF_SHIFT, 0, 0, 0, 0));
    }

    private static TreeNode compatible(TreeNode node, String... drivers) {
        return drivers.length == 0 ? node : node.put("compatible", drivers);
    }

    /** The node of a device that is not on PCI, which is made if its window is described. */
    private TreeNode device(MmioBase base) {
        if (settings.node(base).isPresent()) {
            return mergeInto(settings.node(base).get());
        }
        WindowNode window = settings.window(base).orElseThrow(() -> new IllegalArgumentException(
                "device=" + base + ": the tree needs its node or its window; set one by"
                        + " TreeSettings.node or window"));
        TreeNode node = window.node(phandles.containsKey(base), bus.addressCells(), bus.sizeCells());
        return child(bus.path(), node).put(COHERENT, PropertyValue.empty());
    }

    private TreeSettings.Bridge bridge(int segment) {
        return settings.bridge(segment).orElseThrow(() -> new IllegalArgumentException(
                "segment=" + segment + ": the tree needs its host bridge; set it by TreeSettings.bridge"));
    }

    private TreeNode mergeInto(String path) {
        return merges.computeIfAbsent(path, _ -> new TreeNode(""));
    }

    /** The child of that name, with what it had and what is new. */
    private TreeNode child(String path, TreeNode child) {
        TreeNode parent = mergeInto(path);
        parent.child(child.name()).ifPresentOrElse(existing -> existing.merge(child), () -> parent.add(child));
        return parent.child(child.name()).orElseThrow();
    }
}
