// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A QEMU that is started to write the device tree of a machine, and ends after that without a guest. */
final class TreeProgram {

    /** QEMU writes a tree within 0.1 seconds. */
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final String CHANGE = "; set qemu to another, or tree to a file with a tree";

    private final List<String> words;
    private final Duration longest;
    private final String who;

    private TreeProgram(List<String> words, Duration longest) {
        this.words = words;
        this.longest = longest;
        this.who = words.getFirst() + ": expected a QEMU that writes a device tree, ";
    }

    /** A program, and the arguments that say which machine it is: board, processors, memory. */
    static TreeProgram of(List<String> words) {
        return new TreeProgram(words, LONGEST);
    }

    /** The same with another limit to the time that it takes. */
    TreeProgram within(Duration limit) {
        return new TreeProgram(words, limit);
    }

    /**
     * Has it write a tree.
     *
     * @param file for the time being, deleted after that; there is none, or a file that may be replaced
     * @return the tree
     * @throws IOException if there is no tree; the message names the program and what to change
     */
    byte[] dump(Path file) throws IOException {
        // QEMU replaces what is there, even a device.
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(file + ": expected none, or a file of an earlier server, found something else");
        }
        Files.deleteIfExists(file);
        List<String> asked = new ArrayList<>(words);
        asked.addAll(List.of("-nodefaults", "-display", "none", "-machine", "dumpdtb=" + QemuArguments.value(file)));
        try {
            run(asked);
            if (!Files.isRegularFile(file)) {
                throw new IOException(who + "found one that ends without it" + CHANGE);
            }
            return NamedFile.read(file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private void run(List<String> asked) throws IOException {
        Process qemu;
        try {
            qemu = new ProcessBuilder(asked).redirectErrorStream(true).start();
        } catch (IOException absent) {
            throw new IOException(who + "found no program that can be started" + CHANGE, absent);
        }
        await(qemu);
    }

    /** The user may end this process meanwhile, which must not leave QEMU behind. */
    private void await(Process qemu) throws IOException {
        Thread atShutdown = new Thread(() -> end(qemu), "end of QEMU");
        try {
            Runtime.getRuntime().addShutdownHook(atShutdown);
            qemu.getOutputStream().close();
            if (!qemu.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException(who + "found one that still runs after " + longest.toMillis() + " ms" + CHANGE);
            }
            if (qemu.exitValue() != 0) {
                throw new IOException(who + "found one that says: " + reason(qemu) + "; change that, or set qemu to"
                        + " another");
            }
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        } finally {
            end(qemu);
            forget(atShutdown);
        }
    }

    /** With what it has started itself: a script may stand for QEMU. */
    private static void end(Process qemu) {
        qemu.descendants().forEach(ProcessHandle::destroyForcibly);
        qemu.destroyForcibly();
    }

    private static void forget(Thread atShutdown) {
        try {
            boolean ignored = Runtime.getRuntime().removeShutdownHook(atShutdown);
        } catch (IllegalStateException shuttingDown) {
            // It runs or has run.
        }
    }

    /** The last line of the form WHO: WHAT. Lines behind it say where one may learn more. */
    private static String reason(Process qemu) throws IOException {
        // What it has started may keep the stream open.
        byte[] said = qemu.getInputStream().readNBytes(qemu.getInputStream().available());
        List<String> lines = new String(said, StandardCharsets.UTF_8).lines()
                .map(String::strip).filter(line -> !line.isEmpty()).toList();
        return lines.reversed().stream().filter(line -> line.contains(": ")).findFirst()
                .orElse(lines.isEmpty() ? "nothing" : lines.getLast());
    }
}
