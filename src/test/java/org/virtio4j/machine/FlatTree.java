// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A flattened device tree as a kernel reads it, and the way in which one applies an overlay. Written from the
 * specification and from libfdt; it shares nothing with the code that it tests.
 */
final class FlatTree {

    /** A node: its properties are words, because tests need no other ones. */
    static final class Node {
        final String name;
        final @Nullable Node parent;
        final Map<String, ByteBuffer> properties = new LinkedHashMap<>();
        final List<Node> children = new ArrayList<>();

        Node(String name, @Nullable Node parent) {
            this.name = name;
            this.parent = parent;
        }

        boolean has(String property) {
            return properties.containsKey(property);
        }

        int[] words(String property) {
            ByteBuffer value = properties.getOrDefault(property, ByteBuffer.allocate(0));
            int[] words = new int[value.capacity() / 4];
            value.duplicate().rewind().asIntBuffer().get(words);
            return words;
        }

        int word(String property, int otherwise) {
            return has(property) ? words(property)[0] : otherwise;
        }

        /** The value as text, with zero bytes in it. */
        String text(String property) {
            ByteBuffer value = properties.getOrDefault(property, ByteBuffer.allocate(0));
            return StandardCharsets.US_ASCII.decode(value.duplicate().rewind()).toString();
        }

        boolean isCompatible(String what) {
            return ('\0' + text("compatible")).contains('\0' + what + '\0');
        }

        @Nullable Node child(String wanted) {
            return children.stream().filter(child -> child.name.equals(wanted)).findFirst().orElse(null);
        }
    }

    final Node root;

    private FlatTree(Node root) {
        this.root = root;
    }

    static FlatTree of(byte[] bytes) {
        ByteBuffer blob = ByteBuffer.wrap(bytes);
        int strings = blob.getInt(12);
        blob.position(blob.getInt(8));
        Node holder = new Node("", null);
        Node node = holder;
        while (true) {
            switch (blob.getInt()) {
                case 1 -> {
                    Node child = new Node(text(blob, blob.position()), node);
                    advance(blob, child.name.length() + 1);
                    node.children.add(child);
                    node = child;
                }
                case 2 -> node = Objects.requireNonNull(node.parent);
                case 3 -> {
                    int length = blob.getInt();
                    String name = text(blob, strings + blob.getInt());
                    node.properties.put(name, ByteBuffer.allocate(length).put(0, bytes, blob.position(), length));
                    advance(blob, length);
                }
                case 4 -> { }
                default -> {
                    return new FlatTree(holder.children.getFirst());
                }
            }
        }
    }

    List<Node> nodes() {
        List<Node> nodes = new ArrayList<>(List.of(root));
        for (int at = 0; at < nodes.size(); at++) {
            nodes.addAll(nodes.get(at).children);
        }
        return nodes;
    }

    @Nullable Node byPhandle(int phandle) {
        return nodes().stream().filter(node -> node.word("phandle", 0) == phandle).findFirst().orElse(null);
    }

    /** Renumbers the overlay's phandles, then references to them, then merges each fragment into its target. */
    void apply(FlatTree overlay) {
        int delta = nodes().stream().mapToInt(node -> node.word("phandle", 0)).max().orElse(0);
        overlay.nodes().stream().filter(node -> node.has("phandle")).forEach(node -> add(node, "phandle", 0, delta));
        Node fixups = overlay.root.child("__local_fixups__");
        if (fixups != null) {
            fix(overlay.root, fixups, delta);
        }
        for (Node fragment : overlay.root.children) {
            Node content = fragment.child("__overlay__");
            if (fragment.has("target-path") && content != null) {
                merge(byPath(fragment.text("target-path").replace("\0", "")), content);
            }
        }
    }

    private static void fix(Node node, Node fixups, int delta) {
        for (String property : fixups.properties.keySet()) {
            for (int offset : fixups.words(property)) {
                add(node, property, offset, delta);
            }
        }
        for (Node below : fixups.children) {
            fix(Objects.requireNonNull(node.child(below.name)), below, delta);
        }
    }

    private static void add(Node node, String property, int offset, int delta) {
        ByteBuffer value = Objects.requireNonNull(node.properties.get(property));
        value.putInt(offset, value.getInt(offset) + delta);
    }

    private Node byPath(String path) {
        Node node = root;
        for (String name : path.substring(1).split("/", -1)) {
            node = name.isEmpty() ? node : Objects.requireNonNull(node.child(name), path);
        }
        return node;
    }

    private static void merge(Node target, Node content) {
        target.properties.putAll(content.properties);
        for (Node below : content.children) {
            Node child = target.child(below.name);
            if (child == null) {
                child = new Node(below.name, target);
                target.children.add(child);
            }
            merge(child, below);
        }
    }

    private static void advance(ByteBuffer blob, int length) {
        blob.position(blob.position() + (length + 3) / 4 * 4);
    }

    private static String text(ByteBuffer blob, int start) {
        int end = start;
        while (blob.get(end) != 0) {
            end++;
        }
        byte[] letters = new byte[end - start];
        blob.get(start, letters);
        return new String(letters, StandardCharsets.US_ASCII);
    }
}
