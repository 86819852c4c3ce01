// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.PciAddress;

/**
 * What a device tree needs to know beside a topology: where the nodes of the guest's board are, and how some things are
 * said. Immutable; each method returns other settings.
 *
 * <p>{@link TopologyTree#edit} finds in the tree what is not set here. An overlay is written without the tree that it
 * will be applied to, so host bridges, and a node or a window for each device that is not on PCI, must be set.
 */
public final class TreeSettings {

    /** Nothing set: what is needed is found in the tree, and protected devices are marked by a property. */
    public static final TreeSettings DEFAULT = new TreeSettings(new Parts());

    private final Parts parts;

    private TreeSettings(Parts parts) {
        this.parts = parts;
    }

    /** The node of a PCI segment, and the first bus below it. */
    record Bridge(String path, int firstBus) {
    }

    /** The node below which windows are added, and the cells of their {@code reg}. */
    record Bus(String path, int addressCells, int sizeCells) {

        static final Bus ROOT = new Bus("/", 2, 2);
    }

    /** What was set. Not changed after the settings that hold it were made. */
    private static final class Parts {
        private final Map<Integer, Bridge> bridges = new HashMap<>();
        private final Map<Location, Integer> phandles = new HashMap<>();
        private final Map<Location, String> nodes = new HashMap<>();
        private final Map<MmioBase, WindowNode> windows = new LinkedHashMap<>();
        private final Set<Location> guarded = new HashSet<>();
        private Protection protection = Protection.DEFAULT;
        private Optional<Bus> bus = Optional.empty();
        private Optional<Set<PciAddress>> functions = Optional.empty();
        private int firstPhandle = 1;

        private Parts copy() {
            Parts copy = new Parts();
            copy.bridges.putAll(bridges);
            copy.phandles.putAll(phandles);
            copy.nodes.putAll(nodes);
            copy.windows.putAll(windows);
            copy.guarded.addAll(guarded);
            copy.protection = protection;
            copy.bus = bus;
            copy.functions = functions;
            copy.firstPhandle = firstPhandle;
            return copy;
        }
    }

    /**
     * Sets the host bridge of a PCI segment whose first bus is 0.
     *
     * @param segment the segment, which Linux calls domain
     * @param path of the bridge's node, such as {@code /pcie@10000000}
     * @return other settings
     */
    public TreeSettings bridge(int segment, String path) {
        return bridge(segment, path, 0);
    }

    /**
     * Sets the host bridge of a PCI segment.
     *
     * @param segment the segment, which Linux calls domain
     * @param path of the bridge's node
     * @param firstBus the first number of the node's {@code bus-range}. Only functions on this bus are children of the
     *     bridge's node
     * @return other settings
     */
    public TreeSettings bridge(int segment, String path, int firstBus) {
        Parts copy = parts.copy();
        copy.bridges.put(segment, new Bridge(requirePath(path), firstBus));
        return new TreeSettings(copy);
    }

    /**
     * Sets the number by which the tree refers to an IOMMU. Programs that apply an overlay add to the numbers in it the
     * largest number of the tree, so there the number only has to differ from those of other IOMMUs.
     *
     * @param iommu where the IOMMU lies
     * @param phandle 1 to 0xfffffffe, unsigned
     * @return other settings
     */
    public TreeSettings phandle(Location iommu, int phandle) {
        if (phandle == 0 || phandle == -1) {
            throw new IllegalArgumentException("phandle=" + Integer.toUnsignedLong(phandle)
                    + ": must be 1 to 0xfffffffe");
        }
        Parts copy = parts.copy();
        copy.phandles.put(iommu, phandle);
        return new TreeSettings(copy);
    }

    /**
     * Sets the node that an IOMMU or a device has already. Needed for functions on other buses than the first, whose
     * nodes are below those of other bridges.
     *
     * @param device where the device or the IOMMU lies
     * @param path of its node
     * @return other settings
     */
    public TreeSettings node(Location device, String path) {
        Parts copy = parts.copy();
        copy.nodes.put(device, requirePath(path));
        return new TreeSettings(copy);
    }

    /**
     * Describes a window of virtio-mmio, which gets a node, whether or not the topology names it. A node that the tree
     * has at this address already keeps its registers and interrupts, whatever the description says.
     *
     * @param window the window
     * @return other settings
     */
    public TreeSettings window(WindowNode window) {
        Parts copy = parts.copy();
        copy.windows.put(window.base(), window);
        return new TreeSettings(copy);
    }

    /**
     * Sets where the nodes of windows are added. Without it: for {@link TopologyTree#edit}, beside the windows that the
     * tree has, or else below {@code /soc} or the root; for an overlay, below the root, with two cells for each number.
     *
     * @param path of the node of a bus, or {@code /}
     * @param addressCells that node's {@code #address-cells}
     * @param sizeCells that node's {@code #size-cells}
     * @return other settings
     */
    public TreeSettings windowsBelow(String path, int addressCells, int sizeCells) {
        Parts copy = parts.copy();
        copy.bus = Optional.of(new Bus(requirePath(path), addressCells, sizeCells));
        return new TreeSettings(copy);
    }

    /**
     * Has {@code iommu-map} name these functions alone, with an entry for each, and not the topology's whole ranges.
     * A range promises translation to whatever is plugged into it. Where another program, such as QEMU, has devices of
     * its own in the range, whose DMA is not translated, those must not be promised any.
     *
     * @param functions that are plugged and are endpoints in the topology
     * @return other settings
     */
    public TreeSettings functions(Collection<PciAddress> functions) {
        Parts copy = parts.copy();
        copy.functions = Optional.of(new TreeSet<>(functions));
        return new TreeSettings(copy);
    }

    /**
     * Names devices whose DMA the hypervisor itself protects, and that the guest must not manage. They are endpoints of
     * no IOMMU: a tree publishes ranges of functions without them. The topology itself, and what ACPI or an IOMMU's
     * configuration say of it, still has them; leave them out of its ranges if the guest reads those.
     *
     * @param devices where they lie
     * @return other settings
     */
    public TreeSettings protect(Location... devices) {
        Parts copy = parts.copy();
        copy.guarded.addAll(List.of(devices));
        return new TreeSettings(copy);
    }

    /**
     * Sets how a protected device is marked.
     *
     * @param form a property, which is the default, or the node of a stub
     * @return other settings
     */
    public TreeSettings protection(Protection form) {
        Parts copy = parts.copy();
        copy.protection = form;
        return new TreeSettings(copy);
    }

    /** Sets the first phandle that is given to IOMMUs without one. */
    TreeSettings firstPhandle(int phandle) {
        Parts copy = parts.copy();
        copy.firstPhandle = phandle;
        return new TreeSettings(copy);
    }

    Optional<Bridge> bridge(int segment) {
        return Optional.ofNullable(parts.bridges.get(segment));
    }

    Optional<Integer> phandle(Location iommu) {
        return Optional.ofNullable(parts.phandles.get(iommu));
    }

    Optional<String> node(Location device) {
        return Optional.ofNullable(parts.nodes.get(device));
    }

    Collection<WindowNode> windows() {
        return parts.windows.values();
    }

    Optional<WindowNode> window(MmioBase base) {
        return Optional.ofNullable(parts.windows.get(base));
    }

    Optional<Bus> bus() {
        return parts.bus;
    }

    Optional<Set<PciAddress>> functions() {
        return parts.functions;
    }

    /** Protected devices, in the same order each time. */
    List<Location> protectedDevices() {
        return parts.guarded.stream().sorted((one, other) -> one.toString().compareTo(other.toString())).toList();
    }

    boolean isProtected(Location device) {
        return parts.guarded.contains(device);
    }

    Protection protection() {
        return parts.protection;
    }

    int firstPhandle() {
        return parts.firstPhandle;
    }

    private static String requirePath(String path) {
        if (!path.startsWith("/") || (path.length() > 1 && path.endsWith("/")) || path.contains("//")) {
            throw new IllegalArgumentException("path='" + path + "': must be a whole path, such as /soc/pci@30000000");
        }
        for (String name : path.substring(1).split("/", -1)) {
            new TreeNode(name);
        }
        return path;
    }
}
