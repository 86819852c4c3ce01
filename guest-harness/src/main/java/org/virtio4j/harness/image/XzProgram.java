// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * Unpacks xz files by a program: this machine's, or the guest's busybox, which runs here too if this machine is of the
 * guest's kind.
 */
final class XzProgram implements KernelModules.Unpacker {

    private final List<List<String>> programs;

    XzProgram(Path busybox) {
        this(List.of(List.of("xz"), List.of(busybox.toString(), "xz")));
    }

    /** Programs in the order in which they are tried, each with its first arguments. */
    XzProgram(List<List<String>> programs) {
        this.programs = programs;
    }

    @Override
    public byte[] unpack(Path file) throws IOException, UnusableGuestException {
        for (List<String> program : programs) {
            List<String> command = new ArrayList<>(program);
            command.addAll(List.of("-dc", file.toString()));
            Process process;
            try {
                process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            } catch (IOException absent) {
                continue;
            }
            return output(process, file);
        }
        throw new UnusableGuestException("the kernel's modules are packed by xz, which is not installed; install it");
    }

    private static byte[] output(Process process, Path file) throws IOException {
        byte[] unpacked = process.getInputStream().readAllBytes();
        try {
            if (process.waitFor() != 0) {
                throw new IOException("a damaged xz file");
            }
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread, at " + file, unexpected);
        }
        return unpacked;
    }
}
