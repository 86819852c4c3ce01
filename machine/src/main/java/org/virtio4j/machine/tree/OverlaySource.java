// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * An overlay as text for dtc, with a label in place of each number that refers to a node. dtc makes {@code
 * __local_fixups__} itself.
 */
final class OverlaySource {

    private static final String INDENT = "    ";

    private final StringBuilder text = new StringBuilder();
    private final Map<Integer, String> labels = new HashMap<>();
    /** The properties whose values are strings. */
    private final Set<String> strings;

    private OverlaySource(Set<String> strings) {
        this.strings = strings;
    }

    static String of(DeviceTree overlay, Set<String> strings) {
        OverlaySource source = new OverlaySource(strings);
        overlay.nodes().flatMap(node -> node.phandle().stream())
                .forEach(phandle -> source.labels.put(phandle, "iommu" + source.labels.size()));
        source.text.append("/dts-v1/;\n/plugin/;\n\n");
        source.line(0, "/ {");
        overlay.root().children().stream().filter(node -> node.name().startsWith("fragment@"))
                .forEach(fragment -> source.node(fragment, 1));
        source.line(0, "};");
        return source.text.toString();
    }

    private void node(TreeNode node, int depth) {
        String label = node.phandle().map(phandle -> labels.get(phandle) + ": ").orElse("");
        line(depth, label + node.name() + " {");
        for (String property : node.properties()) {
            byte[] value = node.value(property);
            line(depth + 1, value.length == 0 ? property + ";" : property + " = " + value(property, value) + ";");
        }
        node.children().forEach(child -> node(child, depth + 1));
        line(depth, "};");
    }

    private String value(String property, byte[] value) {
        if (strings.contains(property)) {
            return '"' + new String(value, 0, value.length - 1, StandardCharsets.US_ASCII)
                    .replace("\\", "\\\\").replace("\"", "\\\"").replace("\0", "\", \"") + '"';
        }
        return property.equals(IommuMap.PROPERTY) ? map(PropertyValue.cells(value))
                : '<' + cells(PropertyValue.cells(value), 0, value.length / Integer.BYTES, reference(property)) + '>';
    }

    /** Which cell refers to a node; -1 for none. */
    private static int reference(String property) {
        return property.equals(TopologyNodes.IOMMUS) ? 0 : -1;
    }

    /** An entry a line. */
    private String map(int[] cells) {
        StringBuilder map = new StringBuilder();
        for (int at = 0; at < cells.length; at += IommuMap.ENTRY_CELLS) {
            map.append(at == 0 ? "<" : ", <")
                    .append(cells(cells, at, at + IommuMap.ENTRY_CELLS, at + IommuMap.PHANDLE_CELL)).append('>');
        }
        return map.toString();
    }

    private String cells(int[] cells, int start, int end, int reference) {
        StringBuilder list = new StringBuilder();
        for (int at = start; at < end; at++) {
            list.append(at == start ? "" : " ").append(at == reference
                    ? "&" + labels.get(cells[at]) : "0x" + Integer.toHexString(cells[at]));
        }
        return list.toString();
    }

    private void line(int depth, String content) {
        text.append(INDENT.repeat(depth)).append(content).append('\n');
    }
}
