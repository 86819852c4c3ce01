// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeSettings;
import org.virtio4j.serving.plan.BoardPlan;

/**
 * The device tree of one of QEMU's boards, with IOMMUs that another process serves. QEMU writes the tree of the board,
 * and this class changes what it says about IOMMUs and the functions behind them. A board without ACPI tables, such as
 * {@code virt} of arm64, is started with the result ({@code -dtb}).
 */
public final class BoardTree {

    /** By this a server knows its own trees again. No guest knows it. */
    private static final String MARK = "virtio4j,served";

    private final String name;
    private final DeviceTree tree;

    private BoardTree(String name, byte[] blob) throws IOException {
        this.name = name;
        try {
            this.tree = DeviceTree.read(blob);
        } catch (TreeFormatException damaged) {
            throw new IOException(name + ": " + damaged.getMessage(), damaged);
        }
    }

    /**
     * Has QEMU write the tree of a machine. QEMU ends after that, without a guest.
     *
     * @param qemu the program, and the arguments that say which machine it is: board, processors, memory
     * @param file for the time being, deleted after that; there is none, or a file that may be replaced
     * @return the tree, without IOMMUs
     * @throws IOException if QEMU cannot be started or writes no tree; the message names the program
     */
    public static BoardTree writtenBy(List<String> qemu, Path file) throws IOException {
        return new BoardTree(qemu.getFirst(), TreeProgram.of(qemu).dump(file));
    }

    /**
     * Reads a tree that QEMU has written before.
     *
     * @param file written by QEMU ({@code -machine dumpdtb=}) for the same board, processors and memory
     * @return the tree
     * @throws IOException if the file cannot be read or is no tree; the message names it
     */
    public static BoardTree read(Path file) throws IOException {
        return new BoardTree(file.toString(), NamedFile.read(file));
    }

    /**
     * Refuses a tree that was not made for a board. The guest would start with it, and hang.
     *
     * @param board what the machine has
     * @return this
     * @throws IOException if the tree has another number of processors or another interrupt controller
     */
    public BoardTree requireFits(BoardPlan board) throws IOException {
        OptionalInt processors = board.processors();
        long found = tree.nodes().filter(node -> node.strings("device_type").equals(List.of("cpu"))).count();
        if (processors.isPresent() && processors.getAsInt() != found) {
            throw new IOException(name + ": expected a device tree with processors = " + processors.getAsInt()
                    + ", found " + found + "; have QEMU write one with -smp " + processors.getAsInt());
        }
        String controller = board.board().messageController();
        if (tree.nodes().noneMatch(node -> node.isCompatible(controller))) {
            throw new IOException(name + ": expected a device tree with " + controller + ", found none; have QEMU write"
                    + " one with -machine " + board.board().machine());
        }
        return this;
    }

    /**
     * Changes the tree so that of all virtio-iommus it describes those of a topology alone.
     *
     * @param topology IOMMUs and endpoints on PCI
     * @return this
     * @throws IOException if it is the tree of a board without PCI
     */
    public BoardTree describe(Topology topology) throws IOException {
        try {
            TopologyTree.edit(tree, topology, TreeSettings.DEFAULT);
            tree.root().put(MARK, new byte[0]);
            return this;
        } catch (TreeFormatException unfit) {
            throw new IOException(name + ": " + unfit.getMessage(), unfit);
        } catch (IllegalArgumentException missing) {
            throw new IOException(name + ": expected the device tree of a board with PCI, found another ("
                    + missing.getMessage() + ")", missing);
        }
    }

    /** Whether the content of a file is a tree that was described here before. */
    static boolean isDescribed(byte[] content) {
        try {
            return DeviceTree.read(content).root().has(MARK);
        } catch (TreeFormatException other) {
            return false;
        }
    }

    /**
     * Writes the tree without free space. QEMU doubles the size of what it is given, and no kernel starts with the MiB
     * that QEMU itself writes.
     *
     * @param file to be written, or replaced
     * @throws IOException if that is not possible; the message names the file
     */
    public void write(Path file) throws IOException {
        NamedFile.write(file, tree.write());
    }
}
