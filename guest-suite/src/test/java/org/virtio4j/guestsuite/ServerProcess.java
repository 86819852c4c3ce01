// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.GuestDevices;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.serving.QemuArguments;

/** The command {@code serve} as a process of its own, a new one for each guest, with the same configuration. */
final class ServerProcess implements GuestDevices.Server {

    private static final long DISK_BYTES = 128 << 20;
    private static final String CONFIGURATION = """
            [[machine]]
            folder = "run"
            memory = 512

            [machine.iommu]
            address = "00:05.0"

            [[machine.rng]]
            address = "00:07.0"

            [[machine.disk]]
            address = "00:0c.0"
            file = "disk"
            """;

    private final Path folder;
    private final Path configuration;
    private @Nullable Process process;

    /** Makes a disk and a configuration in the folder. */
    ServerProcess(Path folder) throws IOException {
        this.folder = folder;
        configuration = Files.writeString(folder.resolve("machine"), CONFIGURATION);
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve("disk").toFile(), "rw")) {
            file.setLength(DISK_BYTES);
        }
    }

    @Override
    public GuestDevices serve(RunFolder run, GuestOptions options, Qemu qemu) throws IOException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process server = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dvirtio4j.table.checked=" + System.getProperty("virtio4j.table.checked", "false"),
                "-cp", classPath, "org.virtio4j.launcher.Main", "serve",
                "--config", configuration.toString()).redirectError(Redirect.INHERIT).start();
        process = server;
        // The rest is so little that nobody needs to read it.
        String said = server.inputReader(StandardCharsets.UTF_8).readLine();
        if (said == null) {
            throw new IOException("the command serves nothing");
        }
        return new Devices(server);
    }

    /** Gives it no chance. */
    void kill() {
        Objects.requireNonNull(process).destroyForcibly();
    }

    /** What QEMU is told of it. */
    private final class Devices implements GuestDevices {

        private final Process server;

        private Devices(Process server) {
            this.server = server;
        }

        @Override
        public String kernelOptions() {
            return " end=host";
        }

        @Override
        public void addTo(QemuCommand command, RunFolder run) {
            QemuArguments arguments = new QemuArguments();
            Machinery.addTo(arguments, folder.resolve("run"));
            command.arguments(arguments);
        }

        @Override
        public void strayDma() {
            throw new IllegalStateException("this test has no stray DMA");
        }

        @Override
        public List<String> report() {
            return List.of();
        }

        @Override
        public void close() throws IOException {
            // Not by the process, which would close its output too.
            boolean ignored = server.toHandle().destroy();
            try {
                server.waitFor();
            } catch (InterruptedException givenUp) {
                server.destroyForcibly();
                throw new IOException("the test is given up", givenUp);
            }
        }
    }
}
