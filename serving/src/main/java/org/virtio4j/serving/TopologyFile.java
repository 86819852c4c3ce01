// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.plan.MachinePlan;

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
     * Replaces the file of an earlier server. Anything but a file is refused, because it is deleted at the end.
     *
     * @throws IOException if that is not possible, or if there is no tree
     */
    void write() throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(file + ": expected none, or a file of an earlier server, found something else");
        }
        begun = true;
        if (plan.board().board().hasTree()) {
            tree().requireFits(plan.board()).describe(topology).write(file);
        } else {
            NamedFile.write(file, ViotTable.body(topology));
        }
    }

    private BoardTree tree() throws IOException {
        Optional<Path> given = plan.board().tree();
        return given.isPresent() ? BoardTree.read(given.get()) : BoardTree.writtenBy(treeWords(), file);
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
