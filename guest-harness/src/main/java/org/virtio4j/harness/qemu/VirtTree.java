// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.virtio4j.machine.PciAddress;

/**
 * The device tree of QEMU's board "virt" with an IOMMU: the one that QEMU makes for an IOMMU of its own, but for the
 * functions behind it.
 */
public final class VirtTree {

    // Devicetree specification 0.4, section 5.2: big-endian words at the beginning.
    private static final int TOTAL_SIZE = 4;
    private static final int STRINGS = 12;
    private static final int STRINGS_SIZE = 32;
    private static final int PAGE = 4096;

    /** QEMU's map has two entries of four words: the functions before the IOMMU's, and those behind it. */
    private static final int ENTRY = 16;
    private static final int LAST_FUNCTION = 0xffff;

    private VirtTree() {
    }

    /**
     * Has QEMU write the tree of a machine, and changes it.
     *
     * @param command the machine without its IOMMU
     * @param iommu where that lies
     * @param endpoints two functions behind it or more, in order; nothing else lies between the second and the last
     * @param folder for the file
     * @return the file
     * @throws IOException if QEMU makes no tree for such a machine, or a file cannot be written
     */
    public static Path write(QemuCommand command, PciAddress iommu, List<PciAddress> endpoints, RunFolder folder)
            throws IOException {
        Path file = folder.path("tree");
        command.writeTree(iommu, file);
        byte[] tree = shrunk(Files.readAllBytes(file));
        map(ByteBuffer.wrap(tree), iommu.bdf(), endpoints);
        return Files.write(file, tree);
    }

    /** QEMU doubles what it is given, and a kernel never starts with 2 MiB. */
    private static byte[] shrunk(byte[] tree) {
        ByteBuffer words = ByteBuffer.wrap(tree);
        int used = words.getInt(STRINGS) + words.getInt(STRINGS_SIZE);
        byte[] shrunk = new byte[(used + PAGE - 1) / PAGE * PAGE];
        System.arraycopy(tree, 0, shrunk, 0, used);
        ByteBuffer.wrap(shrunk).putInt(TOTAL_SIZE, shrunk.length);
        return shrunk;
    }

    private static void map(ByteBuffer tree, int iommu, List<PciAddress> endpoints) {
        int at = mapIn(tree, iommu);
        int second = endpoints.get(1).bdf();
        for (int first : new int[] {endpoints.getFirst().bdf(), second}) {
            int count = first == second ? endpoints.getLast().bdf() - second + 1 : 1;
            tree.putInt(at, first).putInt(at + 8, first).putInt(at + 12, count);
            at += ENTRY;
        }
    }

    private static int mapIn(ByteBuffer tree, int iommu) {
        for (int at = 0; at + 2 * ENTRY <= tree.capacity(); at += Integer.BYTES) {
            if (tree.getInt(at) == 0 && tree.getInt(at + 12) == iommu && tree.getInt(at + ENTRY) == iommu + 1
                    && tree.getInt(at + ENTRY + 12) == LAST_FUNCTION - iommu) {
                return at;
            }
        }
        throw new IllegalStateException("the tree has no map of the functions behind " + iommu);
    }
}
