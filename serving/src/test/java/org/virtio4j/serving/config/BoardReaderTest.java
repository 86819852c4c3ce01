// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.serving.plan.Board;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.plan.MachinePlan;

/** The board of a machine, and what follows from it. */
class BoardReaderTest {

    private static final String WHOLE = """
            [[machine]]
            folder = "run"
            [machine.iommu]
            address = "00:08.0"
            [[machine.rng]]
            address = "00:09.0"
            """;
    private static final String VIRT = "board = \"virt\"\n";
    private static final String GICV2M = VIRT + "interrupts = \"gicv2m\"\n";

    @TempDir
    private Path folder;

    @Test
    void shouldBeAPcUnlessToldOtherwise() throws IOException, CommandFailure {
        assertEquals(BoardPlan.PC, board(""));
        assertEquals(BoardPlan.PC, board("board = \"q35\"\n"));
        assertEquals(BoardPlan.PC.withProcessors("max", 4), board("cpu = \"max\"\nprocessors = 4\n"));
    }

    @Test
    void shouldSayWhichAndHowManyProcessorsATreeNames() throws IOException, CommandFailure {
        assertEquals(BoardPlan.of(Board.VIRT_ITS).withProcessors("cortex-a76", 1), board(VIRT));
        assertEquals(BoardPlan.of(Board.VIRT_GICV2M).withProcessors("max,sve=off", 8),
                board(GICV2M + "cpu = \"max,sve=off\"\nprocessors = 8\n"));
        assertEquals(OptionalInt.of(512), board(VIRT + "interrupts = \"its\"\nprocessors = 512\n").processors());
    }

    @Test
    void shouldReserveTheDoorbellOfTheBoard() throws IOException, CommandFailure {
        assertEquals(ReservedRegions.X86_MSI, plan("").devices().getFirst().reserved());
        assertEquals(ReservedRegions.QEMU_VIRT_ITS, plan(VIRT).devices().getFirst().reserved());
        assertEquals(ReservedRegions.QEMU_VIRT_GICV2M, plan(GICV2M).devices().getFirst().reserved());
    }

    @Test
    void shouldLookForAProgramAsAShellDoes() throws IOException, CommandFailure {
        Files.createDirectory(folder.resolve("my bin"));
        Path program = Files.createFile(folder.resolve("my bin/qemu"));
        assertTrue(program.toFile().setExecutable(true));
        assertEquals(List.of("qemu-system-aarch64"), board(VIRT).qemu());
        assertEquals(List.of("qemu11"), board(VIRT + "qemu = \"qemu11\"\n").qemu());
        assertEquals(List.of(program.toString()), board(VIRT + "qemu = \"./my bin/qemu\"\n").qemu());
        assertTrue(program.toFile().setExecutable(false));
        assertRefused("4:8: qemu: expected a program that can be started, found something else: " + program,
                VIRT + "qemu = \"my bin/qemu\"\n");
        assertRefused("4:8: qemu: expected a program that can be started, found none: " + folder + "/qemu",
                VIRT + "qemu = \"./qemu\"\n");
    }

    @Test
    void shouldTakeATreeThatIsThere() throws IOException, CommandFailure {
        Path tree = Files.createFile(folder.resolve("virt.dtb"));
        assertEquals(Optional.of(tree), board(VIRT + "tree = \"virt.dtb\"\n").tree());
        assertRefused("4:8: tree: expected a file with the device tree that QEMU has written, found none: " + folder
                + "/none.dtb", VIRT + "tree = \"none.dtb\"\n");
        assertRefused("4:8: tree: expected a file with the device tree that QEMU has written, found something else: "
                + folder, VIRT + "tree = \".\"\n");
    }

    @Test
    void shouldNotWriteOverTheTreeThatItReads() throws IOException {
        Files.createDirectory(folder.resolve("run"));
        Path written = Files.createFile(folder.resolve("run/tree"));
        assertRefused("4:8: tree: expected a file that stays, found the one that the server writes and deletes: "
                + written, VIRT + "tree = \"run/tree\"\n");
        Path tree = Files.createFile(folder.resolve("virt.dtb"));
        Path config = write(VIRT + "tree = \"virt.dtb\"\n");
        CommandFailure refused = assertThrows(CommandFailure.class,
                () -> MachineReader.read(config, tree, notice -> { }));
        assertEquals(tree + ": expected a file that may be replaced, found the tree of the machine of line 1",
                refused.getMessage());
    }

    @Test
    void shouldWarnOfTheDoorbellOfAnotherBoard() throws IOException, CommandFailure {
        String config = WHOLE.replace("00:08.0\"", "00:08.0\"\nreserved = [\"reserved:0-fff\", \"msi:x86\"]")
                + "reserved = [\"msi:its\"]\n";
        Path its = write(VIRT, config);
        assertEquals(List.of(its + ":6:31: reserved: expected msi:its for the interrupts of virt,gic-version=3, found "
                + "msi:x86; the guest may hang"), notices(its));
        Path gicv2m = write(GICV2M, WHOLE + "reserved = [\"msi:its\"]\n");
        assertEquals(List.of(gicv2m + ":9:13: reserved: expected msi:gicv2m for the interrupts of virt,gic-version=2, "
                + "found msi:its; the guest may hang"), notices(gicv2m));
        Path pc = write("", WHOLE + "reserved = [\"msi:fee00000-feefffff\"]\n");
        assertEquals(List.of(), notices(pc));
    }

    private static List<String> notices(Path config) throws CommandFailure {
        List<String> notices = new ArrayList<>();
        MachineReader.read(config, null, notices::add);
        return notices;
    }

    private void assertRefused(String message, String keys) throws IOException {
        Path config = write(keys);
        assertEquals(config + ":" + message,
                assertThrows(CommandFailure.class, () -> MachineReader.read(config)).getMessage());
    }

    private BoardPlan board(String keys) throws IOException, CommandFailure {
        return plan(keys).board();
    }

    private MachinePlan plan(String keys) throws IOException, CommandFailure {
        return MachineReader.read(write(keys)).getFirst();
    }

    private Path write(String keys) throws IOException {
        return write(keys, WHOLE);
    }

    private Path write(String keys, String whole) throws IOException {
        return Files.writeString(folder.resolve("vm.toml"), whole.replace("folder = \"run\"\n",
                "folder = \"run\"\n" + keys));
    }
}
