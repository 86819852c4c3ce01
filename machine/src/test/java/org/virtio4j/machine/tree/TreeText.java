// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.HexFormat;

/** A tree as text, by which tests compare trees: everything that a tree says, in order. */
final class TreeText {

    private TreeText() {
    }

    static String of(DeviceTree tree) {
        StringBuilder text = new StringBuilder().append("boot CPU ").append(tree.bootCpu()).append('\n');
        tree.reservations().forEach(reservation -> text.append(reservation).append('\n'));
        return node(tree.root(), "", text).toString();
    }

    private static StringBuilder node(TreeNode node, String indent, StringBuilder text) {
        text.append(indent).append(node.name()).append(" {\n");
        for (String property : node.properties()) {
            text.append(indent).append("  ").append(property).append(" = ")
                    .append(HexFormat.of().formatHex(node.property(property).orElseThrow())).append('\n');
        }
        node.children().forEach(child -> node(child, indent + "  ", text));
        return text.append(indent).append("}\n");
    }
}
