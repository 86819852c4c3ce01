// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;

/** The device tree of a board, of programs that are QEMU and of those that are not. */
class BoardTreeTest {

    private static final Topology TOPOLOGY = Topology.of(IommuScope.of(PciAddress.of("00:08.0"),
            List.of(PciAddress.of("00:09.0"), PciAddress.of("00:0a.0"))));
    private static final String CHANGE = "; set qemu to another, or tree to a file with a tree";

    @TempDir
    private Path folder;

    @Test
    void shouldNameTheProgramThatIsMissing() throws IOException {
        assertRefused("no-such-qemu", "found no program that can be started");
        Path text = Files.writeString(folder.resolve("text"), "no program\n");
        assertRefused(text.toString(), "found no program that can be started");
    }

    @Test
    void shouldSayWhatQemuSays() throws IOException {
        assertRefused(program("""
                echo "module: it is missing" >&2
                echo "qemu-system-x86_64: unsupported machine type: \\"virt\\"" >&2
                echo "Use -machine help to list supported machines" >&2
                exit 1"""),
                "found one that says: qemu-system-x86_64: unsupported machine type: \"virt\"");
        assertRefused(program("echo no; exit 1"), "found one that says: no");
        assertRefused(program("exit 3"), "found one that says: nothing");
    }

    @Test
    void shouldWantATree() throws IOException {
        assertRefused(program(""), "found one that ends without it");
    }

    @Test
    void shouldLeaveAloneWhatIsNoFile() throws IOException {
        Path tree = Files.createDirectory(folder.resolve("tree"));
        IOException refused = assertThrows(IOException.class,
                () -> BoardTree.write(List.of("true"), TOPOLOGY, tree));
        assertEquals(tree + ": expected none, or a file of an earlier server, found something else",
                refused.getMessage());
        assertTrue(Files.isDirectory(tree));
    }

    private String program(String script) throws IOException {
        Path program = Files.writeString(folder.resolve("qemu"), "#!/bin/sh\n" + script + "\n");
        assertTrue(program.toFile().setExecutable(true));
        return program.toString();
    }

    private void assertRefused(String program, String message) {
        Path tree = folder.resolve("tree");
        IOException refused = assertThrows(IOException.class,
                () -> BoardTree.write(List.of(program, "-machine", "virt"), TOPOLOGY, tree));
        assertEquals(program + ": expected a QEMU that writes a device tree, " + message + CHANGE,
                refused.getMessage());
        assertFalse(Files.exists(tree));
    }
}
