// SPDX-License-Identifier: Apache-2.0

/**
 * Device trees, by which guests on boards without ACPI learn of their hardware: a {@link
 * org.virtio4j.machine.Topology} told in one, and trees in general as far as that needs them.
 *
 * <p>{@link org.virtio4j.machine.tree.TopologyTree} is where to begin. It edits a tree that exists, such as the one
 * that QEMU writes for its board {@code virt}, or writes an overlay, or the source text of the overlay. All three come
 * from one description of what a tree must get ({@code TopologyNodes}), so they say the same. What the tree of a board
 * has under which path, and how some things are to be said, is in {@link org.virtio4j.machine.tree.TreeSettings}; an
 * edit finds most of it by itself.
 *
 * <p>A {@link org.virtio4j.machine.tree.DeviceTree} is read from the flattened form that firmware hands to a kernel and
 * written to it without free space. Its {@link org.virtio4j.machine.tree.TreeNode nodes} hold properties as bytes, as
 * libfdt does; {@link org.virtio4j.machine.tree.PropertyValue} makes numbers and strings of them. In contrast to
 * libfdt, which edits the flattened form in place, the whole tree is in memory: a change costs no moves and cannot run
 * out of space, and a damaged blob is found out when it is read.
 *
 * <p>A blob may come from a stranger: what is wrong with it comes as a {@link
 * org.virtio4j.machine.tree.TreeFormatException} with the place of the fault, and reading throws nothing else. What an
 * embedder sets wrongly, or must set because the tree does not say it, throws an {@link
 * java.lang.IllegalArgumentException}. All of this is for the time before a
 * guest starts. One thread at a time uses a tree; settings are immutable, and the static methods may be called from any
 * thread.
 */
@NullMarked
package org.virtio4j.machine.tree;

import org.jspecify.annotations.NullMarked;
