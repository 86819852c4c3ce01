// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A device tree, which tells a kernel what hardware there is (Devicetree Specification 0.4). It is read from a
 * flattened device tree, the blob that firmware hands to a kernel, and written to one.
 *
 * <p>What is written is not longer than it must be. What QEMU dumps has 1 MiB, nearly all of it free space for the
 * programs that add to a tree; reading and writing such a blob shrinks it to some KiB.
 *
 * <p>One thread at a time uses a tree and its nodes.
 */
public final class DeviceTree {

    private static final long LARGEST_PHANDLE = 0xffff_fffeL;

    private final TreeNode root;
    private final List<MemoryReservation> reservations;
    private final int bootCpu;

    /** An empty tree that reserves no memory and boots on CPU 0. */
    public DeviceTree() {
        this(new TreeNode(""), List.of(), 0);
    }

    /**
     * A tree of nodes that exist.
     *
     * @param root the node without a name, which holds all others
     * @param reservations memory that the kernel must leave alone
     * @param bootCpu physical ID of the CPU that boots
     * @throws IllegalArgumentException if the root has a name
     */
    public DeviceTree(TreeNode root, List<MemoryReservation> reservations, int bootCpu) {
        if (!root.name().isEmpty()) {
            throw new IllegalArgumentException("root=" + root.name() + ": a root has no name");
        }
        this.root = root;
        this.reservations = new ArrayList<>(reservations);
        this.bootCpu = bootCpu;
    }

    /**
     * Reads a blob of version 16, 17 or a newer one that is compatible with 17. The blob may come from a stranger: what
     * is read is bounded by the array, and memory by a multiple of its size. A tree has at most 65,536 nodes, 64 of
     * them inside each other, 262,144 properties and 4,096 memory reservations, and names of at most 255 bytes.
     *
     * @param blob the flattened tree; bytes behind it do not matter
     * @return the tree, which is independent of the array
     * @throws TreeFormatException if the blob is damaged or cut off, has more than a tree may have, or has two nodes or
     *     two properties of one name in one node
     */
    public static DeviceTree read(byte[] blob) throws TreeFormatException {
        return BlobReader.read(blob);
    }

    /**
     * Writes the tree as a blob of version 17.
     *
     * @return the flattened tree, as short as can be
     * @throws ArithmeticException if it would be longer than an array can be
     */
    public byte[] write() {
        return BlobWriter.write(this);
    }

    /**
     * The node that holds all others.
     *
     * @return the root, which has no name
     */
    public TreeNode root() {
        return root;
    }

    /**
     * Memory that the kernel must leave alone, from the list at the beginning of the blob. The node
     * {@code /reserved-memory} is another way to say it.
     *
     * @return reservations in order, which may be changed
     */
    public List<MemoryReservation> reservations() {
        return reservations;
    }

    /**
     * The CPU that boots.
     *
     * @return its physical ID, as in the {@code reg} of its node
     */
    public int bootCpu() {
        return bootCpu;
    }

    /**
     * The node at a path.
     *
     * @param path names with slashes between them, such as {@code /soc/pci@30000000}. Without a slash at the beginning,
     *     the first name is an alias, a property of {@code /aliases}. A unit address may be left out where no other
     *     node beside has the name.
     * @return the node, or none if there is none, or if several are meant
     */
    public Optional<TreeNode> find(String path) {
        if (path.startsWith("/")) {
            return below(root, path.substring(1));
        }
        int end = path.indexOf('/');
        String alias = end < 0 ? path : path.substring(0, end);
        return root.child("aliases").flatMap(aliases -> aliases.strings(alias).stream().findFirst())
                .filter(full -> full.startsWith("/")).flatMap(this::find)
                .flatMap(node -> end < 0 ? Optional.of(node) : below(node, path.substring(end + 1)));
    }

    /**
     * The node that a property refers to.
     *
     * @param phandle the number
     * @return the first node that has this phandle
     */
    public Optional<TreeNode> find(int phandle) {
        return nodes().filter(node -> node.phandle().filter(own -> own == phandle).isPresent()).findFirst();
    }

    /**
     * All nodes, each before those below it.
     *
     * @return the root first
     */
    public Stream<TreeNode> nodes() {
        return nodes(root);
    }

    /**
     * Phandles in a row that no node has: those above the largest of the tree, or others if there are none above.
     *
     * @param count how many
     * @return the first one, unsigned, at least 1
     * @throws IllegalArgumentException if there are not so many in a row
     */
    public int freePhandles(int count) {
        long[] taken = nodes().flatMap(node -> node.phandle().stream()).mapToLong(Integer::toUnsignedLong)
                .filter(phandle -> phandle <= LARGEST_PHANDLE).sorted().toArray();
        long before = taken.length == 0 ? 0 : taken[taken.length - 1];
        if (before + count > LARGEST_PHANDLE) {
            before = 0;
            for (int at = 0; at < taken.length && taken[at] - before <= count; at++) {
                before = taken[at];
            }
        }
        if (before + count > LARGEST_PHANDLE) {
            throw new IllegalArgumentException("count=" + count + ": the tree has no room for so many phandles");
        }
        return (int) (before + 1);
    }

    /**
     * Where a node is.
     *
     * @param node any node
     * @return its whole path, by which {@link #find(String)} finds it, or none if it is not in this tree
     */
    public Optional<String> path(TreeNode node) {
        return node == root ? Optional.of("/") : path(root, node);
    }

    private static Optional<String> path(TreeNode top, TreeNode wanted) {
        for (TreeNode child : top.children()) {
            String name = "/" + child.name();
            if (child == wanted) {
                return Optional.of(name);
            }
            Optional<String> below = path(child, wanted);
            if (below.isPresent()) {
                return below.map(name::concat);
            }
        }
        return Optional.empty();
    }

    private static Stream<TreeNode> nodes(TreeNode top) {
        return Stream.concat(Stream.of(top), top.children().stream().flatMap(DeviceTree::nodes));
    }

    private static Optional<TreeNode> below(TreeNode top, String path) {
        Optional<TreeNode> node = Optional.of(top);
        for (String part : path.split("/", -1)) {
            if (!part.isEmpty()) {
                node = node.flatMap(parent -> parent.childLike(part));
            }
        }
        return node;
    }
}
