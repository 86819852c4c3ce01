// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The board of a machine and its processors, and where the device tree comes from if the board has one.
 *
 * @param board the board
 * @param cpu what QEMU calls a processor; QEMU's own choice if it is not there
 * @param processors how many; as many as QEMU chooses if it is not there
 * @param qemu the program that writes the tree, and the arguments that it needs to run at all
 * @param tree a tree that QEMU wrote for this board without the IOMMU; {@code qemu} writes one if it is not there
 */
public record BoardPlan(Board board, Optional<String> cpu, OptionalInt processors, List<String> qemu,
        Optional<Path> tree) {

    /** A PC with the processors that QEMU chooses. */
    public static final BoardPlan PC = of(Board.Q35);

    /** Copies what was given. */
    public BoardPlan {
        qemu = List.copyOf(qemu);
    }

    /**
     * A board with the processors that QEMU chooses. The tree, if there is one, comes from the program of the PATH.
     *
     * @param board the board
     * @return a plan
     */
    public static BoardPlan of(Board board) {
        return new BoardPlan(board, Optional.empty(), OptionalInt.empty(), List.of(board.program()), Optional.empty());
    }

    /**
     * The same with other processors.
     *
     * @param name what QEMU calls one
     * @param count how many
     * @return a plan
     */
    public BoardPlan withProcessors(String name, int count) {
        return new BoardPlan(board, Optional.of(name), OptionalInt.of(count), qemu, tree);
    }

    /**
     * The same with a tree of another program.
     *
     * @param command the program, and the arguments that it needs to run at all
     * @return a plan
     */
    public BoardPlan withQemu(List<String> command) {
        return new BoardPlan(board, cpu, processors, command, tree);
    }
}
