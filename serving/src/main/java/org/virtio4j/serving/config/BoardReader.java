// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.serving.config.ConfigFile.MachineTables;
import org.virtio4j.serving.config.ConfigSection.Word;
import org.virtio4j.serving.plan.Board;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.watch.DoorbellNames;

/** Reads the keys of a table {@code [[machine]]} that say what QEMU emulates around the devices. */
final class BoardReader {

    /** The first of QEMU's that works with pages of 4, 16 and 64 KiB. */
    private static final String PROCESSOR = "cortex-a76";
    private static final int MOST_WITH_GICV2M = 8;
    private static final Pattern WORD = Pattern.compile("[\\S&&[^\\p{C}]]+");

    private final ConfigSection machine;

    private BoardReader(ConfigSection machine) {
        this.machine = machine;
    }

    /** The board of a machine; the file of its tree is looked at or not. */
    static BoardPlan read(ConfigSection machine, boolean looksAtFiles) throws CommandFailure {
        BoardReader reader = new BoardReader(machine);
        Board board = reader.board();
        Optional<String> cpu = reader.word(Keys.CPU).or(() -> Optional.of(PROCESSOR).filter(some -> board.hasTree()));
        BoardPlan plan = new BoardPlan(board, cpu, reader.processors(board), reader.qemu(board), reader.tree());
        if (looksAtFiles) {
            reader.lookAtFiles(plan);
        }
        return plan;
    }

    private Board board() throws CommandFailure {
        if (machine.has(Keys.BOARD) && machine.parsed(Keys.BOARD, BoardReader::isVirt)) {
            return machine.has(Keys.INTERRUPTS) ? machine.parsed(Keys.INTERRUPTS, BoardReader::virt) : Board.VIRT_ITS;
        }
        for (ConfigKey key : List.of(Keys.INTERRUPTS, Keys.QEMU, Keys.TREE)) {
            if (machine.has(key)) {
                throw machine.failure(key, "expected on the " + Keys.BOARD + " virt only, found on q35");
            }
        }
        return Board.Q35;
    }

    private static boolean isVirt(String text) {
        return switch (text) {
            case "q35" -> false;
            case "virt" -> true;
            default -> throw new IllegalArgumentException("expected q35 or virt, found '" + text + "'");
        };
    }

    private static Board virt(String interrupts) {
        return switch (interrupts) {
            case "its" -> Board.VIRT_ITS;
            case "gicv2m" -> Board.VIRT_GICV2M;
            default -> throw new IllegalArgumentException("expected its or gicv2m, found '" + interrupts + "'");
        };
    }

    /** A tree has a node for each processor, so their number is never left to QEMU where there is one. */
    private OptionalInt processors(Board board) throws CommandFailure {
        int count = (int) machine.number(Keys.PROCESSORS, 1);
        if (board == Board.VIRT_GICV2M && count > MOST_WITH_GICV2M) {
            throw machine.failure(Keys.PROCESSORS, "expected 1 to " + MOST_WITH_GICV2M + " with " + Keys.INTERRUPTS
                    + " of gicv2m, found '" + count + "'");
        }
        return board.hasTree() || machine.has(Keys.PROCESSORS) ? OptionalInt.of(count) : OptionalInt.empty();
    }

    private List<String> qemu(Board board) throws CommandFailure {
        if (machine.has(Keys.QEMU) && machine.has(Keys.TREE)) {
            throw machine.failure(Keys.QEMU, "expected without " + Keys.TREE + " only: no QEMU needs to write the tree"
                    + " then");
        }
        if (namesFile()) {
            return List.of(machine.path(Keys.QEMU).toString());
        }
        return List.of(word(Keys.QEMU).orElse(board.program()));
    }

    /** As in a shell, a name with a slash is that of a file, and others are looked for in the PATH. */
    private boolean namesFile() {
        return machine.text(Keys.QEMU).filter(name -> name.contains("/")).isPresent();
    }

    private Optional<Path> tree() throws CommandFailure {
        return machine.has(Keys.TREE) ? Optional.of(machine.path(Keys.TREE)) : Optional.empty();
    }

    private void lookAtFiles(BoardPlan plan) throws CommandFailure {
        if (namesFile() && !isProgram(machine.path(Keys.QEMU))) {
            throw machine.failure(Keys.QEMU, "expected a program that can be started, found "
                    + (Files.exists(machine.path(Keys.QEMU)) ? "something else: " : "none: ")
                    + machine.path(Keys.QEMU));
        }
        if (plan.tree().isPresent()) {
            lookAtTree(plan.tree().get());
        }
    }

    private static boolean isProgram(Path file) {
        return Files.isRegularFile(file) && Files.isExecutable(file);
    }

    private void lookAtTree(Path tree) throws CommandFailure {
        if (!Files.isRegularFile(tree)) {
            throw machine.failure(Keys.TREE, "expected a file with the device tree that QEMU has written, found "
                    + (Files.exists(tree) ? "something else: " : "none: ") + tree);
        }
        if (!Files.isReadable(tree)) {
            throw machine.failure(Keys.TREE, "expected permission to read " + tree + ", found none");
        }
    }

    private Optional<String> word(ConfigKey key) throws CommandFailure {
        Optional<String> text = machine.text(key);
        if (text.isPresent() && !WORD.matcher(text.get()).matches()) {
            throw machine.failure(key, "expected a word without spaces, found '" + text.get() + "'");
        }
        return text;
    }

    /**
     * What to say about regions that a configuration names for the interrupts of another board than its own.
     *
     * @return a line each
     */
    static List<String> foreignDoorbells(MachineTables tables, Board board) {
        List<ConfigSection> sections = new ArrayList<>(List.of(tables.iommu()));
        sections.addAll(tables.devices());
        String own = DoorbellNames.nameOf(board.doorbells().list().getFirst().start());
        List<String> lines = new ArrayList<>();
        for (ConfigSection section : sections) {
            for (Word word : section.has(Keys.RESERVED) ? section.words(Keys.RESERVED) : List.<Word>of()) {
                if (DoorbellNames.region(word.text()).isPresent() && !word.text().equals(own)) {
                    lines.add(word.place().message(Keys.RESERVED + ": expected " + own + " for the interrupts of "
                            + board.machine() + ", found " + word.text() + "; the guest may hang"));
                }
            }
        }
        return lines;
    }
}
