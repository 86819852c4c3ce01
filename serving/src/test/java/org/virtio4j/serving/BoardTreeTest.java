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
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeNode;
import org.virtio4j.serving.plan.Board;
import org.virtio4j.serving.plan.BoardPlan;

/** The device tree of a board, of programs that are QEMU and of those that are not. */
class BoardTreeTest {

    private static final Topology TOPOLOGY = Topology.of(IommuScope.of(PciAddress.of("00:08.0"), List.of(
            PciAddress.of("00:09.0"), PciAddress.of("00:0a.0"), PciAddress.of("00:0b.0"))));
    private static final String ITS = "arm,gic-v3-its";
    private static final BoardPlan TWO_PROCESSORS = BoardPlan.of(Board.VIRT_ITS).withProcessors("max", 2);
    private static final String CHANGE = "; set qemu to another, or tree to a file with a tree";

    @TempDir
    private Path folder;

    @Test
    void shouldNameTheProgramThatIsMissing() throws IOException {
        assertRefused("no-such-qemu", "found no program that can be started" + CHANGE);
        Path text = Files.writeString(folder.resolve("text"), "no program\n");
        assertRefused(text.toString(), "found no program that can be started" + CHANGE);
    }

    @Test
    void shouldSayWhatQemuSays() throws IOException {
        assertRefused(program("""
                echo "module: it is missing" >&2
                echo "qemu-system-x86_64: unsupported machine type: \\"virt\\"" >&2
                echo "Use -machine help to list supported machines" >&2
                exit 1"""),
                "found one that says: qemu-system-x86_64: unsupported machine type: \"virt\"; change that, or set qemu "
                        + "to another");
        assertRefused(program("echo no; exit 1"), "found one that says: no; change that, or set qemu to another");
        assertRefused(program("exit 3"), "found one that says: nothing; change that, or set qemu to another");
    }

    @Test
    void shouldWantATree() throws IOException {
        assertRefused(program(""), "found one that ends without it" + CHANGE);
        Path text = Files.writeString(folder.resolve("text"), "no tree");
        assertStarts(text + ": device tree, byte 0x0: expected ", () -> BoardTree.read(text));
        Path none = folder.resolve("none");
        assertStarts(none.toString(), () -> BoardTree.read(none));
    }

    @Test
    void shouldNotWaitForAProgramThatDoesNotEnd() throws IOException {
        String program = program("exec sleep 600");
        TreeProgram patient = TreeProgram.of(List.of(program)).within(Duration.ofMillis(200));
        assertStarts(program + ": expected a QEMU that writes a device tree, found one that still runs after 200 ms"
                + CHANGE, () -> patient.dump(folder.resolve("tree")));
    }

    @Test
    void shouldLeaveAloneWhatIsNoFile() throws IOException {
        Path tree = Files.createDirectory(folder.resolve("tree"));
        assertStarts(tree + ": expected none, or a file of an earlier server, found something else",
                () -> BoardTree.writtenBy(List.of("true"), tree));
        assertTrue(Files.isDirectory(tree));
    }

    @Test
    void shouldDescribeTheIommuAndEachFunctionBehindIt() throws IOException, TreeFormatException {
        Path qemu = FakeQemu.in(folder, FakeQemu.board(1, ITS));
        Path file = folder.resolve("tree");
        BoardTree.writtenBy(List.of(qemu.toString()), file).describe(TOPOLOGY).write(file);
        assertTrue(Files.size(file) < Files.size(folder.resolve("board.dtb")) / 10, "not shrunk");
        DeviceTree tree = DeviceTree.read(Files.readAllBytes(file));
        TreeNode bridge = tree.find("/pcie@10000000").orElseThrow();
        TreeNode iommu = bridge.children().getFirst();
        assertTrue(iommu.isCompatible("virtio,pci-iommu"));
        assertArrayEquals(new int[] {0x4000, 0, 0, 0, 0}, iommu.cells("reg").orElseThrow());
        int phandle = iommu.phandle().orElseThrow();
        assertArrayEquals(new int[] {0x48, phandle, 0x48, 1, 0x50, phandle, 0x50, 1, 0x58, phandle, 0x58, 1},
                bridge.cells("iommu-map").orElseThrow());
        assertTrue(bridge.has("msi-map"));
    }

    @Test
    void shouldRefuseTheTreeOfAnotherBoard() throws IOException {
        Path file = FakeQemu.tree(folder.resolve("virt.dtb"), FakeQemu.board(1, ITS));
        BoardTree one = BoardTree.read(file);
        assertStarts(file + ": expected a device tree with processors = 2, found 1; have QEMU write one with -smp 2",
                () -> one.requireFits(TWO_PROCESSORS));
        BoardTree.read(FakeQemu.tree(file, FakeQemu.board(2, ITS))).requireFits(TWO_PROCESSORS);
        BoardTree gicv2m = BoardTree.read(FakeQemu.tree(file, FakeQemu.board(2, "arm,gic-v2m-frame")));
        gicv2m.requireFits(BoardPlan.of(Board.VIRT_GICV2M));
        assertStarts(file + ": expected a device tree with arm,gic-v3-its, found none; have QEMU write one with "
                + "-machine virt,gic-version=3", () -> gicv2m.requireFits(TWO_PROCESSORS));
    }

    @Test
    void shouldRefuseABoardWithoutPci() throws IOException {
        DeviceTree tree = FakeQemu.board(1, ITS);
        tree.root().removeChild("pcie@10000000");
        Path file = FakeQemu.tree(folder.resolve("virt.dtb"), tree);
        assertStarts(file + ": expected the device tree of a board with PCI, found another (segment=0: ",
                () -> BoardTree.read(file).describe(TOPOLOGY));
    }

    private String program(String script) throws IOException {
        return FakeQemu.program(folder, script).toString();
    }

    private void assertRefused(String program, String message) {
        Path tree = folder.resolve("tree");
        assertStarts(program + ": expected a QEMU that writes a device tree, " + message,
                () -> BoardTree.writtenBy(List.of(program, "-machine", "virt"), tree));
        assertFalse(Files.exists(tree));
    }

    private static void assertStarts(String expected, Executable what) {
        String message = String.valueOf(assertThrows(IOException.class, what).getMessage());
        assertEquals(expected, message.substring(0, Math.min(message.length(), expected.length())));
    }
}
