// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.Map;

/**
 * A device tree of changes to another tree (dtc, {@code Documentation/dt-object-internal.txt}). Each fragment names the
 * node that its content is merged into.
 *
 * <p>Programs that apply an overlay first add one number to all phandles in it, so that they differ from those of the
 * other tree. So that references follow, {@code __local_fixups__} says where in which property they are.
 */
final class Overlay {

    private static final String CONTENT = "__overlay__";
    private static final String FIXUPS = "__local_fixups__";

    private Overlay() {
    }

    /** Makes the overlay of changes, given by the paths of the nodes that they are merged into. */
    static DeviceTree of(Map<String, TreeNode> merges) {
        DeviceTree overlay = new DeviceTree();
        TreeNode fixups = new TreeNode(FIXUPS);
        int number = 0;
        for (Map.Entry<String, TreeNode> merge : merges.entrySet()) {
            TreeNode content = new TreeNode(CONTENT);
            content.merge(merge.getValue());
            String name = "fragment@" + Integer.toHexString(number++);
            overlay.root().add(new TreeNode(name).put("target-path", merge.getKey()).add(content));
            TreeNode references = references(content);
            if (!isEmpty(references)) {
                fixups.add(new TreeNode(name).add(references));
            }
        }
        if (!isEmpty(fixups)) {
            overlay.root().add(fixups);
        }
        return overlay;
    }

    /** The same nodes, with the offsets of references in place of the properties that hold them. */
    private static TreeNode references(TreeNode node) {
        TreeNode references = new TreeNode(node.name());
        for (String property : node.properties()) {
            int[] offsets = offsets(property, node.value(property).length);
            if (offsets.length > 0) {
                references.put(property, offsets);
            }
        }
        for (TreeNode child : node.children()) {
            TreeNode below = references(child);
            if (!isEmpty(below)) {
                references.add(below);
            }
        }
        return references;
    }

    /** Where in a property that is made here phandles of the same overlay are, in bytes. */
    static int[] offsets(String property, int length) {
        return switch (property) {
            case TopologyNodes.IOMMUS -> new int[] {0};
            case IommuMap.PROPERTY -> {
                int[] offsets = new int[length / Integer.BYTES / IommuMap.ENTRY_CELLS];
                for (int entry = 0; entry < offsets.length; entry++) {
                    offsets[entry] = (entry * IommuMap.ENTRY_CELLS + IommuMap.PHANDLE_CELL) * Integer.BYTES;
                }
                yield offsets;
            }
            default -> new int[0];
        };
    }

    private static boolean isEmpty(TreeNode node) {
        return node.properties().isEmpty() && node.children().isEmpty();
    }
}
