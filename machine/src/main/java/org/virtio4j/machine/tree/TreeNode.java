// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One node of a device tree: a name, properties and children, both in order and without two of one name. One thread at
 * a time uses the nodes of one tree.
 */
public final class TreeNode {

    /** Bytes of the longest name. The specification allows 31 without the unit address; existing trees have more. */
    static final int LONGEST_NAME = 255;

    private final String name;
    private final Map<String, byte[]> properties = new LinkedHashMap<>();
    private final Map<String, TreeNode> children = new LinkedHashMap<>();

    /**
     * A node without properties and children.
     *
     * @param name with the unit address, such as {@code iommu@8,0}; empty for a root
     * @throws IllegalArgumentException if the name is longer than 255 characters, or has other than printable ASCII
     *     characters, or a space or a slash
     */
    public TreeNode(String name) {
        this.name = requireName(name);
    }

    /**
     * The node's name.
     *
     * @return name and unit address; empty for a root
     */
    public String name() {
        return name;
    }

    /**
     * The names of the properties.
     *
     * @return names in order; a view
     */
    public Set<String> properties() {
        return Collections.unmodifiableSet(properties.keySet());
    }

    /**
     * The value of a property.
     *
     * @param property its name
     * @return a copy of the value, or none if the node does not have the property
     */
    public Optional<byte[]> property(String property) {
        return Optional.ofNullable(properties.get(property)).map(byte[]::clone);
    }

    /**
     * Whether the node has a property, with whatever value.
     *
     * @param property its name
     * @return whether there is one
     */
    public boolean has(String property) {
        return properties.containsKey(property);
    }

    /**
     * Gives the node a property, or another value to one that it has.
     *
     * @param property its name
     * @param value any bytes, which are copied; {@link PropertyValue} makes them
     * @return this
     * @throws IllegalArgumentException if the name is empty, or none as in {@link #TreeNode}
     */
    public TreeNode put(String property, byte[] value) {
        if (property.isEmpty()) {
            throw new IllegalArgumentException("property='': must have a name");
        }
        properties.put(requireName(property), value.clone());
        return this;
    }

    /**
     * Gives the node a property of 32-bit numbers.
     *
     * @param property its name
     * @param cells its value
     * @return this
     */
    public TreeNode put(String property, int... cells) {
        return put(property, PropertyValue.ofCells(cells));
    }

    /**
     * Gives the node a property of strings.
     *
     * @param property its name
     * @param strings its value, of printable ASCII
     * @return this
     */
    public TreeNode put(String property, String... strings) {
        return put(property, PropertyValue.ofStrings(strings));
    }

    /**
     * Takes a property away.
     *
     * @param property its name
     * @return whether the node had it
     */
    public boolean remove(String property) {
        return properties.remove(property) != null;
    }

    /**
     * The 32-bit numbers of a property.
     *
     * @param property its name
     * @return its cells; none if the node does not have the property, or its value has no whole cells
     */
    public Optional<int[]> cells(String property) {
        return Optional.ofNullable(properties.get(property)).filter(value -> value.length % Integer.BYTES == 0)
                .map(PropertyValue::cells);
    }

    /**
     * The number that a property of one cell has.
     *
     * @param property its name
     * @return the number; none if the node does not have the property, or its value is not one cell
     */
    public Optional<Integer> cell(String property) {
        return cells(property).filter(cells -> cells.length == 1).map(cells -> cells[0]);
    }

    /**
     * The strings of a property.
     *
     * @param property its name
     * @return its strings; none if the node does not have the property, or its value is no strings
     */
    public List<String> strings(String property) {
        byte[] value = properties.get(property);
        return value == null || (value.length > 0 && value[value.length - 1] != 0)
                ? List.of() : PropertyValue.strings(value);
    }

    /**
     * Whether a driver for something works with the node.
     *
     * @param what such as {@code virtio,mmio}
     * @return whether the property {@code compatible} names it
     */
    public boolean isCompatible(String what) {
        return strings("compatible").contains(what);
    }

    /**
     * The number by which properties of other nodes refer to this one.
     *
     * @return the property {@code phandle}, or {@code linux,phandle} of old trees
     */
    public Optional<Integer> phandle() {
        return cell("phandle").or(() -> cell("linux,phandle"));
    }

    /**
     * The nodes below this one.
     *
     * @return children in order; a copy
     */
    public List<TreeNode> children() {
        return new ArrayList<>(children.values());
    }

    /**
     * One node below this one.
     *
     * @param child its whole name
     * @return the child, or none
     */
    public Optional<TreeNode> child(String child) {
        return Optional.ofNullable(children.get(child));
    }

    /**
     * The one child that a part of a path means.
     *
     * @param part the name, without the unit address if only one child has such a name
     * @return the child, or none if there is none or several
     */
    public Optional<TreeNode> childLike(String part) {
        TreeNode exact = children.get(part);
        if (exact != null || part.contains("@")) {
            return Optional.ofNullable(exact);
        }
        List<TreeNode> like = children.values().stream().filter(child -> child.name.startsWith(part + "@")).toList();
        return like.size() == 1 ? Optional.of(like.getFirst()) : Optional.empty();
    }

    /**
     * Adds a node below this one.
     *
     * @param child the last child from now on; a node that neither is nor has this one
     * @return this
     * @throws IllegalArgumentException if the child has no name, or another child has its name
     */
    public TreeNode add(TreeNode child) {
        if (child.name.isEmpty()) {
            throw new IllegalArgumentException("child=: only a root has an empty name");
        }
        if (children.putIfAbsent(child.name, child) != null) {
            throw new IllegalArgumentException("child=" + child.name + ": " + name + " has a child of this name");
        }
        return this;
    }

    /**
     * Takes a child away, with all below it.
     *
     * @param child its whole name
     * @return whether there was one
     */
    public boolean removeChild(String child) {
        return children.remove(child) != null;
    }

    /**
     * Takes over what another node has, as an overlay does: its properties replace those of the same name, and its
     * children are merged into those of the same name.
     *
     * @param other a node of another tree, whose name does not matter; it is copied
     */
    public void merge(TreeNode other) {
        other.properties.forEach(this::put);
        for (TreeNode child : other.children.values()) {
            children.computeIfAbsent(child.name, TreeNode::new).merge(child);
        }
    }

    /** The value itself, for the writer of the blob. */
    byte[] value(String property) {
        byte[] value = properties.get(property);
        return value == null ? PropertyValue.empty() : value;
    }

    /** What is wrong with a name that a blob has, or null. */
    static @Nullable String nameFault(String name) {
        if (name.length() > LONGEST_NAME) {
            return "a name of " + name.length() + " characters";
        }
        for (int at = 0; at < name.length(); at++) {
            char character = name.charAt(at);
            if (character == ' ' || character == '/' || !PropertyValue.isPrintable(character)) {
                return "a name with the character 0x" + Integer.toHexString(character);
            }
        }
        return null;
    }

    private static String requireName(String name) {
        if (nameFault(name) != null) {
            throw new IllegalArgumentException("name='" + name + "': must have at most " + LONGEST_NAME
                    + " printable ASCII characters without spaces and slashes");
        }
        return name;
    }
}
