// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.wire.acpi.ViotHeader;

/**
 * The file in the folder of a machine that tells its guest who is behind the IOMMU: an ACPI table, or a device tree on
 * boards that have one.
 */
final class TopologyFile {

    private final MachinePlan plan;
    private final Topology topology;
    private final Path file;
    private boolean begun;

    private TopologyFile(MachinePlan plan, Topology topology) {
        this.plan = plan;
        this.topology = topology;
        this.file = plan.folder().resolve(plan.board().board().topologyFile());
    }

    /** Not written yet. */
    static TopologyFile of(MachinePlan plan, Topology topology) {
        return new TopologyFile(plan, topology);
    }

    /**
     * Replaces the file of an earlier server. Anything else is refused, because it is deleted at the end.
     *
     * @throws IOException if that is not possible, or if there is no tree
     */
    void write() throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !isFromServer()) {
            throw new IOException(file + ": expected none, or a file of an earlier server, found something else; move"
                    + " it, or choose another folder");
        }
        begun = true;
        if (plan.board().board().hasTree()) {
            tree().requireFits(plan.board()).describe(topology).write(file);
        } else {
            NamedFile.write(file, ViotTable.body(topology));
        }
    }

    /** An empty file is what a full disk leaves. */
    private boolean isFromServer() throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        byte[] bytes = NamedFile.read(file);
        return bytes.length == 0 || (plan.board().board().hasTree() ? BoardTree.isDescribed(bytes) : isTable(bytes));
    }

    /** The body of a VIOT begins with the number of its nodes, and where the first one is. */
    private static boolean isTable(byte[] bytes) {
        byte[] begin = {(byte) ViotHeader.SIZE, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        return bytes.length > begin.length + 2
                && Arrays.equals(bytes, 2, begin.length + 2, begin, 0, begin.length);
    }

    private BoardTree tree() throws IOException {
        Optional<Path> given = plan.board().tree();
        return given.isPresent() ? BoardTree.read(given.get())
                : BoardTree.writtenBy(treeWords(), plan.folder().resolve("tree.dump"));
    }

    /** What QEMU needs to know to write the tree. That another process sees the RAM makes no difference to it. */
    private List<String> treeWords() {
        BoardPlan board = plan.board();
        List<String> words = new ArrayList<>(board.qemu());
        words.addAll(List.of("-machine", board.board().machine(), "-m", plan.memory().mebibytes() + "M"));
        words.addAll(new QemuArguments().processors(board).words());
        return words;
    }

    /** Tells QEMU of it. */
    void addTo(QemuArguments arguments) {
        if (plan.board().board().hasTree()) {
            arguments.tree(file);
        } else {
            arguments.viot(file);
        }
    }

    /** Deletes what was written. */
    void delete() throws IOException {
        if (begun) {
            Files.deleteIfExists(file);
        }
    }
}
