// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeNode;
import org.virtio4j.serving.config.MachineReader;
import org.virtio4j.serving.plan.MachinePlan;

/** Machines of the board virt: what is written into their folders, and what is printed. */
class ServedBoardTest {

    private static final String CONFIG = """
            [[machine]]
            folder = "run"
            board = "virt"
            qemu = "./qemu"
            [machine.iommu]
            address = "00:08.0"
            [[machine.rng]]
            address = "00:09.0"
            [[machine.disk]]
            address = "00:0a.0"
            file = "disk.img"
            [[machine.rng]]
            address = "00:0b.0"
            iommu = false
            """;

    @TempDir
    private Path folder;

    @BeforeEach
    void makeFiles() throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        FakeQemu.in(folder, FakeQemu.board(1, "arm,gic-v3-its"));
    }

    @Test
    void shouldWriteTheTreeAndPrintIt() throws IOException, CommandFailure, TreeFormatException {
        Path tree = folder.resolve("run/tree");
        try (ServedMachine machine = ServedMachine.serve(plan(CONFIG))) {
            List<String> words = machine.qemuArguments().words();
            assertEquals(List.of("-machine", "virt,gic-version=3,memory-backend=memory", "-cpu", "cortex-a76",
                    "-smp", "1", "-m", "512M", "-object", "memory-backend-memfd,id=memory,size=512M,share=on",
                    "-dtb", tree.toString(), "-device"), words.subList(0, 13));
            assertFalse(words.contains("-acpitable"));
            assertEquals(List.of("0x48 0x48 1", "0x50 0x50 1"), endpoints(tree));
            assertFalse(Files.exists(folder.resolve("run/viot")));
        }
        assertFalse(Files.exists(folder.resolve("run")));
    }

    @Test
    void shouldPrintTheProcessorsOfAPcThatNamesThem() throws IOException, CommandFailure {
        String pc = CONFIG.replace("board = \"virt\"\nqemu = \"./qemu\"", "cpu = \"max\"\nprocessors = 4");
        try (ServedMachine machine = ServedMachine.serve(plan(pc))) {
            assertEquals(List.of("-machine", "q35,memory-backend=memory", "-cpu", "max", "-smp", "4", "-m"),
                    machine.qemuArguments().words().subList(0, 7));
            assertTrue(Files.exists(folder.resolve("run/viot")));
        }
    }

    /** The folder may be the user's, who may call a file as the server does. */
    @ParameterizedTest
    @ValueSource(strings = {"tree", "viot"})
    void shouldLeaveAFileOfTheUserAlone(String name) throws IOException, CommandFailure {
        String config = name.equals("tree") ? CONFIG : CONFIG.replace("board = \"virt\"\nqemu = \"./qemu\"", "");
        Path file = Files.createDirectory(folder.resolve("run")).resolve(name);
        byte[] board = Files.readAllBytes(folder.resolve("board.dtb"));
        Files.write(file, board);
        MachinePlan plan = plan(config);
        assertEquals(file + ": expected none, or a file of an earlier server, found something else; move it, or"
                + " choose another folder", assertThrows(IOException.class, () -> ServedMachine.serve(plan))
                .getMessage());
        assertArrayEquals(board, Files.readAllBytes(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tree", "viot"})
    void shouldReplaceTheFileOfAServerThatWasKilled(String name) throws IOException, CommandFailure {
        MachinePlan plan = plan(name.equals("tree") ? CONFIG
                : CONFIG.replace("board = \"virt\"\nqemu = \"./qemu\"", ""));
        Path file = Files.createDirectory(folder.resolve("run")).resolve(name);
        byte[] written = servedWith(plan, file);
        Files.write(file, written);
        assertArrayEquals(written, servedWith(plan, file));
        Files.write(file, new byte[0]);
        assertArrayEquals(written, servedWith(plan, file));
    }

    private static byte[] servedWith(MachinePlan plan, Path file) throws IOException {
        try (ServedMachine machine = ServedMachine.serve(plan)) {
            assertEquals(0, machine.connected());
            return Files.readAllBytes(file);
        }
    }

    /** Requester, endpoint and count of each entry. */
    private static List<String> endpoints(Path file) throws IOException, TreeFormatException {
        TreeNode bridge = DeviceTree.read(Files.readAllBytes(file)).find("/pcie@10000000").orElseThrow();
        int[] map = bridge.cells("iommu-map").orElseThrow();
        assertEquals(8, map.length);
        return List.of(String.format("0x%x 0x%x %d", map[0], map[2], map[3]),
                String.format("0x%x 0x%x %d", map[4], map[6], map[7]));
    }

    @Test
    void shouldAskForTheTreeOfTheMachineAsItIs() throws IOException, CommandFailure {
        FakeQemu.program(folder, "echo \"$@\" > \"$0.words\"; exit 1");
        MachinePlan plan = plan(CONFIG.replace("board = \"virt\"", "board = \"virt\"\ninterrupts = \"gicv2m\"\n"
                + "processors = 3\ncpu = \"max,sve=off\"\nmemory = 100\nmemory-file = \"ram\""));
        assertThrows(IOException.class, () -> ServedMachine.serve(plan));
        assertEquals("-machine virt,gic-version=2 -m 100M -cpu max,sve=off -smp 3 -nodefaults -display none -machine "
                + "dumpdtb=" + folder + "/run/tree.dump\n", Files.readString(folder.resolve("qemu.words")));
        assertFalse(Files.exists(folder.resolve("run")));
    }

    @Test
    void shouldNotTakeATreeWithOtherProcessors() throws IOException, CommandFailure {
        Files.createDirectory(folder.resolve("run"));
        byte[] board = Files.readAllBytes(folder.resolve("board.dtb"));
        String config = CONFIG.replace("qemu = \"./qemu\"", "tree = \"board.dtb\"");
        try (ServedMachine machine = ServedMachine.serve(plan(config))) {
            assertTrue(machine.qemuArguments().words().contains(folder + "/run/tree"));
        }
        MachinePlan two = plan(config.replace("tree =", "processors = 2\ntree ="));
        assertTrue(String.valueOf(assertThrows(IOException.class, () -> ServedMachine.serve(two)).getMessage())
                .startsWith(folder + "/board.dtb: expected a device tree with processors = 2, found 1; "));
        assertFalse(Files.exists(folder.resolve("run/tree")));
        assertArrayEquals(board, Files.readAllBytes(folder.resolve("board.dtb")));
    }

    private MachinePlan plan(String config) throws IOException, CommandFailure {
        return MachineReader.read(Files.writeString(folder.resolve("vm.toml"), config)).getFirst();
    }
}
