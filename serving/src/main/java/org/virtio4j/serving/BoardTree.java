// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.virtio4j.machine.PciAddress;

/**
 * The device tree of one of QEMU's boards, with an IOMMU that another process serves. QEMU writes the tree of the board,
 * and this class changes what it says about the IOMMU and the functions behind it. A board without ACPI tables, such as
 * {@code virt} of arm64, is started with the result ({@code -dtb}).
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
    private static final String CHANGE = "; set qemu to one that does, or tree to a file with the tree";

    private BoardTree() {
    }

    /**
     * Has QEMU write the tree of a machine, and changes it so that it describes one IOMMU and its endpoints. QEMU ends
     * after that, without a guest.
     *
     * @param qemu the program, and the arguments that say which machine it is: board, processors, memory
     * @param iommu where the IOMMU lies
     * @param endpoints the functions behind it, in any order; each is the endpoint of its own BDF
     * @param file to be written, or replaced
     * @throws IOException if QEMU cannot be started, writes no tree or none of such a board, or the file cannot be
     *     written; the message names the program or the file
     */
    public static void write(List<String> qemu, PciAddress iommu, Collection<PciAddress> endpoints, Path file)
            throws IOException {
        List<String> asked = new ArrayList<>(qemu);
        asked.addAll(List.of("-device", "virtio-iommu-pci,addr=" + QemuArguments.slot(iommu)));
        byte[] tree = shrunk(dumped(asked, file), qemu.getFirst());
        map(ByteBuffer.wrap(tree), iommu.bdf(), endpoints, qemu.getFirst());
        Files.write(file, tree);
    }

    /** QEMU replaces the file, also where it is a link or a device. */
    private static byte[] dumped(List<String> qemu, Path file) throws IOException {
        String program = qemu.getFirst();
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(file + ": expected none, or a file of an earlier server, found something else");
        }
        Files.deleteIfExists(file);
        List<String> asked = new ArrayList<>(qemu);
        asked.addAll(List.of("-machine", "dumpdtb=" + QemuArguments.value(file)));
        run(asked);
        if (!Files.isRegularFile(file)) {
            throw new IOException(program + ": expected a QEMU that writes a device tree, but there is no " + file
                    + " when it has ended" + CHANGE);
        }
        return Files.readAllBytes(file);
    }

    private static void run(List<String> asked) throws IOException {
        String program = asked.getFirst();
        Process qemu;
        try {
            qemu = new ProcessBuilder(asked).redirectErrorStream(true).start();
        } catch (IOException absent) {
            throw new IOException(program + ": expected a QEMU that writes a device tree, found no program that can be "
                    + "started" + CHANGE, absent);
        }
        try {
            qemu.getOutputStream().close();
            if (!qemu.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException(program + ": expected a QEMU that writes a device tree and ends, but it runs for "
                        + LONGEST_SECONDS + " seconds" + CHANGE);
            }
            if (qemu.exitValue() != 0) {
                throw new IOException(program + ": expected a QEMU that writes a device tree, but it says: "
                        + reason(qemu) + CHANGE);
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

    /** QEMU doubles what it is given, and a kernel never starts with 2 MiB. */
    private static byte[] shrunk(byte[] tree, String program) throws IOException {
        ByteBuffer words = ByteBuffer.wrap(tree);
        if (tree.length <= STRINGS_SIZE + Integer.BYTES || words.getInt(0) != MAGIC) {
            throw new IOException(program + ": expected a QEMU that writes a device tree, found a file of "
                    + tree.length + " bytes that is none" + CHANGE);
        }
        int used = words.getInt(STRINGS) + words.getInt(STRINGS_SIZE);
        byte[] shrunk = new byte[(used + PAGE - 1) / PAGE * PAGE];
        System.arraycopy(tree, 0, shrunk, 0, used);
        ByteBuffer.wrap(shrunk).putInt(TOTAL_SIZE, shrunk.length);
        return shrunk;
    }

    private static void map(ByteBuffer tree, int iommu, Collection<PciAddress> endpoints, String program)
            throws IOException {
        if (endpoints.isEmpty() || endpoints.size() > 2) {
            throw new IllegalArgumentException("endpoints=" + endpoints + ": must be one or two functions");
        }
        List<PciAddress> behind = new ArrayList<>(endpoints);
        int at = mapIn(tree, iommu, program);
        for (PciAddress endpoint : List.of(behind.getFirst(), behind.getLast())) {
            tree.putInt(at, endpoint.bdf()).putInt(at + 8, endpoint.bdf()).putInt(at + 12, 1);
            at += ENTRY;
        }
    }

    private static int mapIn(ByteBuffer tree, int iommu, String program) throws IOException {
        for (int at = 0; at + 2 * ENTRY <= tree.capacity(); at += Integer.BYTES) {
            if (tree.getInt(at) == 0 && tree.getInt(at + 12) == iommu && tree.getInt(at + ENTRY) == iommu + 1
                    && tree.getInt(at + ENTRY + 12) == LAST_FUNCTION - iommu) {
                return at;
            }
        }
        throw new IOException(program + ": expected a device tree with a host bridge, found another" + CHANGE);
    }
}
