// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.HashSet;
import java.util.Set;
import org.virtio4j.machine.Topology;

/**
 * Tells a guest by its device tree which devices are endpoints of which IOMMUs, in one of three forms that say the
 * same: an overlay, the overlay's source text, and an edit of a tree that exists.
 *
 * <ul>
 *   <li>An IOMMU on PCI is a child of its host bridge, for which a node is made if there is none. One on virtio-mmio
 *       has the node of its window.
 *   <li>A host bridge gets {@code iommu-map}, with an entry for each range of functions or, as
 *       {@link TreeSettings#functions} asks, for each function. No entry holds an IOMMU or a protected device.
 *       {@code msi-map} stays as it is.
 *   <li>An endpoint on virtio-mmio gets {@code iommus}.
 * </ul>
 *
 * <p>A topology without IOMMUs is useful, too: the windows that the settings describe get their nodes.
 */
public final class TopologyTree {

    private TopologyTree() {
    }

    /**
     * An overlay for a tree that dtc compiled with or without {@code -@}. It adds and replaces; what a tree says
     * otherwise of IOMMUs is not taken away.
     *
     * <p>Who applies it (fdtoverlay, U-Boot, Linux) adds the tree's largest phandle to those in the overlay. A node
     * that others refer to already, and that gets a phandle by an overlay, may lose the number that they know it by;
     * windows of virtio-mmio have none.
     *
     * @param topology which devices are endpoints of which IOMMUs
     * @param settings with the host bridge of each segment that the topology names, and a node or a window for each
     *     device that is not on PCI
     * @return a flattened device tree
     * @throws IllegalArgumentException if something is not set, or contradicts the topology; the message says what
     */
    public static byte[] overlay(Topology topology, TreeSettings settings) {
        return overlayTree(topology, settings).write();
    }

    /**
     * The source text of the overlay, which {@code dtc} compiles to the same tree.
     *
     * @param topology as in {@link #overlay}
     * @param settings as in {@link #overlay}
     * @return lines that end with a line feed
     * @throws IllegalArgumentException as in {@link #overlay}
     */
    public static String source(Topology topology, TreeSettings settings) {
        Set<String> strings = new HashSet<>(Set.of("compatible", "target-path"));
        if (settings.protection() instanceof Protection.Property property) {
            strings.add(property.name());
        }
        return OverlaySource.of(overlayTree(topology, settings), strings);
    }

    /**
     * Changes a flattened tree and shrinks it. Of all virtio-iommus, the new tree describes those of the topology
     * alone: what it said of others, such as QEMU's own, is taken away. IOMMUs of other kinds and their endpoints stay.
     * What an earlier edit said of protected devices is taken away as well, unless it was a property of another name.
     *
     * @param blob a tree, such as one that QEMU dumped
     * @param topology which devices are endpoints of which IOMMUs
     * @param settings what is not to be found in the tree; {@link TreeSettings#DEFAULT} for QEMU's boards {@code virt}
     * @return a flattened device tree without free space
     * @throws TreeFormatException if the blob is damaged, a node that the settings name is not there, an IOMMU of
     *     another kind has one of the topology's devices, or the node of an IOMMU's window is that of something else
     * @throws IllegalArgumentException as in {@link #overlay}
     */
    public static byte[] edit(byte[] blob, Topology topology, TreeSettings settings) throws TreeFormatException {
        DeviceTree tree = DeviceTree.read(blob);
        edit(tree, topology, settings);
        return tree.write();
    }

    /**
     * Changes a tree, see {@link #edit(byte[], Topology, TreeSettings)}.
     *
     * @param tree what is changed; after an exception it is of no use
     * @param topology which devices are endpoints of which IOMMUs
     * @param settings what is not to be found in the tree
     * @throws TreeFormatException if a node that the settings name is not there, an IOMMU of another kind has one of
     *     the topology's devices, or the node of an IOMMU's window is that of something else
     * @throws IllegalArgumentException as in {@link #overlay}
     */
    public static void edit(DeviceTree tree, Topology topology, TreeSettings settings) throws TreeFormatException {
        TreeEdit.edit(tree, topology, settings);
    }

    private static DeviceTree overlayTree(Topology topology, TreeSettings settings) {
        return Overlay.of(TopologyNodes.of(topology, settings));
    }
}
