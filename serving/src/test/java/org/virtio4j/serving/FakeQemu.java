// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.TreeNode;

/** A program that does nothing but write the tree of a small board, as QEMU does with {@code -machine dumpdtb=FILE}. */
final class FakeQemu {

    private static final int FREE_SPACE = 1 << 16;

    private FakeQemu() {
    }

    /** Makes the program, and beside it the tree that it copies. */
    static Path in(Path folder, DeviceTree tree) throws IOException {
        tree(folder.resolve("board.dtb"), tree);
        return program(folder, "for word; do case $word in dumpdtb=*) cp \"${0%/*}/board.dtb\" \"${word#dumpdtb=}\" ;;"
                + " esac; done");
    }

    static Path program(Path folder, String script) throws IOException {
        Path program = Files.writeString(folder.resolve("qemu"), "#!/bin/sh\n" + script + "\n");
        if (!program.toFile().setExecutable(true)) {
            throw new IOException(program + ": cannot be made a program");
        }
        return program;
    }

    /** Like QEMU, with much free space at the end. */
    static Path tree(Path file, DeviceTree tree) throws IOException {
        byte[] blob = tree.write();
        return Files.write(file, Arrays.copyOf(blob, blob.length + FREE_SPACE));
    }

    /** A board with processors, PCI, and something that turns messages into interrupts. */
    static DeviceTree board(int processors, String messageController) {
        DeviceTree tree = new DeviceTree();
        TreeNode cpus = new TreeNode("cpus");
        for (int i = 0; i < processors; i++) {
            cpus.add(new TreeNode("cpu@" + i).put("device_type", "cpu"));
        }
        tree.root().put("#address-cells", 2).put("#size-cells", 2).add(cpus)
                .add(new TreeNode("intc@8000000").add(new TreeNode("messages@8080000")
                        .put("compatible", messageController).put("phandle", 0x8004)))
                .add(new TreeNode("pcie@10000000").put("device_type", "pci")
                        .put("compatible", "pci-host-ecam-generic").put("#address-cells", 3).put("#size-cells", 2)
                        .put("bus-range", 0, 0xff).put("msi-map", 0, 0x8004, 0, 0x1_0000));
        return tree;
    }
}
