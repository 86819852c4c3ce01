// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.serving.plan.Board;

/** What brings the interrupts of PCI functions to the processors of a guest. QEMU's board is chosen with it. */
public enum Interrupts {
    /** A PC's: messages to the local APICs. */
    APIC(Architecture.X86_64, Board.Q35, 255),
    /** Messages to a GICv3 with an interrupt translation service. */
    ITS(Architecture.ARM64, Board.VIRT_ITS, 123),
    /** Messages to the frame of a GICv2. */
    GICV2M(Architecture.ARM64, Board.VIRT_GICV2M, 8),
    /** Messages to incoming message controllers. */
    IMSIC(Architecture.RISCV64, null, "virt,aia=aplic-imsic", 512),
    /** No messages, but lines to a platform-level interrupt controller. */
    PLIC(Architecture.RISCV64, null, "virt", 512),
    /** A mainframe's adapters. */
    ADAPTER(Architecture.S390X, null, "s390-ccw-virtio", 248);

    private final Architecture architecture;
    private final @Nullable Board board;
    private final String machine;
    private final int mostProcessors;

    Interrupts(Architecture architecture, Board board, int mostProcessors) {
        this(architecture, board, board.machine(), mostProcessors);
    }

    Interrupts(Architecture architecture, @Nullable Board board, String machine, int mostProcessors) {
        this.architecture = architecture;
        this.board = board;
        this.machine = machine;
        this.mostProcessors = mostProcessors;
    }

    /**
     * What a guest has where nobody chooses.
     *
     * @param architecture its kind
     * @return the first of those that it can have
     */
    static Interrupts of(Architecture architecture) {
        return Arrays.stream(values()).filter(interrupts -> interrupts.architecture == architecture).findFirst()
                .orElseThrow();
    }

    /**
     * Whose they are.
     *
     * @return the only architecture that has them
     */
    public Architecture architecture() {
        return architecture;
    }

    /**
     * What QEMU calls the board that has them.
     *
     * @return a value of QEMU's option {@code -machine}
     */
    public String machine() {
        return machine;
    }

    /**
     * How many processors QEMU's board can have.
     *
     * @return a count
     */
    public int mostProcessors() {
        return mostProcessors;
    }

    /**
     * The board that has them, as serving knows it.
     *
     * @return null for a board whose guest is told nothing of the IOMMU
     */
    public @Nullable Board board() {
        return board;
    }

    /**
     * The doorbell of its messages, which a driver must be told of where messages are not translated.
     *
     * @return none where nothing is translated
     */
    public ReservedRegions reserved() {
        return board == null ? ReservedRegions.NONE : board.doorbells();
    }

    /** The name by which the user calls them. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
