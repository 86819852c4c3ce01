// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;

/**
 * The device tree of one of QEMU's boards, with an IOMMU that another process serves. QEMU writes the tree of the
 * board, and this class changes what it says about the IOMMU and the functions behind it. A board without ACPI tables,
 * such as {@code virt} of arm64, is started with the result ({@code -dtb}).
 */
public final class BoardTree {

    // Devicetree specification 0.4, section 5.2: big-endian words at the beginning.
    private static final int MAGIC = 0xd00d_feed;
    private static final int TOTAL_SIZE = 4;
    private static final int STRINGS = 12;
    private static final int STRINGS_SIZE = 32;
    private static final int PAGE = 4096;

    /** QEMU's map has two entries of four words: the functions before the IOMMU's, and those behind it. */
    private static final int ENTRY = 16;
    private static final int LAST_FUNCTION = 0xffff;

    /** QEMU writes a tree within 0.1 seconds. */
    private static final int LONGEST_SECONDS = 30;
    private static final String CHANGE = "; set qemu to another, or tree to a file with a tree";

    private BoardTree() {
    }

    /**
     * Has QEMU write the tree of a machine, and changes it so that it describes one IOMMU and its endpoints. QEMU ends
     * after that, without a guest.
     *
     * @param qemu the program, and the arguments that say which machine it is: board, processors, memory
     * @param topology one IOMMU on PCI, and the functions behind it
     * @param file to be written, or replaced
     * @throws IOException if QEMU cannot be started, writes no tree or none of such a board, or the file cannot be
     *     written; the message names the program or the file
     */
    public static void write(List<String> qemu, Topology topology, Path file) throws IOException {
        List<String> asked = new ArrayList<>(qemu);
        asked.addAll(List.of("-device", "virtio-iommu-pci,addr=" + QemuArguments.slot(iommu(topology))));
        String who = qemu.getFirst() + ": expected a QEMU that writes a device tree, ";
        NamedFile.write(file, edited(dumped(asked, who, file), who, topology));
    }

    /**
     * Changes a tree that QEMU has written before, so that it describes one IOMMU and its endpoints.
     *
     * @param dumped what QEMU has written ({@code -machine dumpdtb=}) for the same board, processors and memory
     * @param topology one IOMMU on PCI, and the functions behind it
     * @param file to be written, or replaced
     * @throws IOException if one file cannot be read, is no tree or not one of such a board, or the other cannot be
     *     written; the message names the file
     */
    public static void write(Path dumped, Topology topology, Path file) throws IOException {
        String who = dumped + ": expected a device tree that QEMU has written, ";
        NamedFile.write(file, edited(NamedFile.read(dumped), who, topology));
    }

    /** QEMU replaces the file, also where it is a link or a device. */
    private static byte[] dumped(List<String> qemu, String who, Path file) throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(file + ": expected none, or a file of an earlier server, found something else");
        }
        Files.deleteIfExists(file);
        List<String> asked = new ArrayList<>(qemu);
        asked.addAll(List.of("-nodefaults", "-display", "none", "-machine", "dumpdtb=" + QemuArguments.value(file)));
        run(asked, who);
        if (!Files.isRegularFile(file)) {
            throw new IOException(who + "found one that ends without it" + CHANGE);
        }
        return NamedFile.read(file);
    }

    private static void run(List<String> asked, String who) throws IOException {
        Process qemu;
        try {
            qemu = new ProcessBuilder(asked).redirectErrorStream(true).start();
        } catch (IOException absent) {
            throw new IOException(who + "found no program that can be started" + CHANGE, absent);
        }
        try {
            qemu.getOutputStream().close();
            if (!qemu.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(who + "found one that does not end within " + LONGEST_SECONDS + " seconds"
                        + CHANGE);
            }
            if (qemu.exitValue() != 0) {
                throw new IOException(who + "found one that says: " + reason(qemu) + CHANGE);
            }
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        } finally {
            qemu.destroyForcibly();
        }
    }

    /** The last line that is of the form WHO: WHAT; others tell how one may learn more. */
    private static String reason(Process qemu) throws IOException {
        List<String> lines = new String(qemu.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
                .map(String::strip).filter(line -> !line.isEmpty()).toList();
        return lines.reversed().stream().filter(line -> line.contains(": ")).findFirst()
                .orElse(lines.isEmpty() ? "nothing" : lines.getLast());
    }

    private static byte[] edited(byte[] dumped, String who, Topology topology) throws IOException {
        byte[] tree = shrunk(dumped, who);
        map(ByteBuffer.wrap(tree), iommu(topology).bdf(), topology.scopes().getFirst().ranges(), who);
        return tree;
    }

    private static PciAddress iommu(Topology topology) {
        return (PciAddress) topology.scopes().getFirst().location();
    }

    /** QEMU doubles what it is given, and a kernel never starts with 2 MiB. */
    private static byte[] shrunk(byte[] tree, String who) throws IOException {
        ByteBuffer words = ByteBuffer.wrap(tree);
        if (tree.length <= STRINGS_SIZE + Integer.BYTES || words.getInt(0) != MAGIC) {
            throw new IOException(who + "found " + tree.length + " bytes that are none");
        }
        int used = words.getInt(STRINGS) + words.getInt(STRINGS_SIZE);
        byte[] shrunk = new byte[(used + PAGE - 1) / PAGE * PAGE];
        System.arraycopy(tree, 0, shrunk, 0, used);
        ByteBuffer.wrap(shrunk).putInt(TOTAL_SIZE, shrunk.length);
        return shrunk;
    }

    private static void map(ByteBuffer tree, int iommu, List<PciRange> ranges, String who) throws IOException {
        if (ranges.isEmpty() || ranges.size() > 2) {
            throw new IllegalArgumentException("ranges=" + ranges + ": must be one or two");
        }
        int at = mapIn(tree, iommu, who);
        for (PciRange range : List.of(ranges.getFirst(), ranges.getLast())) {
            tree.putInt(at, range.bdfStart()).putInt(at + 8, range.endpointStart())
                    .putInt(at + 12, range.bdfEnd() - range.bdfStart() + 1);
            at += ENTRY;
        }
    }

    private static int mapIn(ByteBuffer tree, int iommu, String who) throws IOException {
        for (int at = 0; at + 2 * ENTRY <= tree.capacity(); at += Integer.BYTES) {
            if (tree.getInt(at) == 0 && tree.getInt(at + 12) == iommu && tree.getInt(at + ENTRY) == iommu + 1
                    && tree.getInt(at + ENTRY + 12) == LAST_FUNCTION - iommu) {
                return at;
            }
        }
        throw new IOException(who + "found one without the host bridge of such a board");
    }
}
