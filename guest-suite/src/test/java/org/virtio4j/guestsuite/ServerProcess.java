// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.virtio4j.launcher.guest.GuestDevices;
import org.virtio4j.launcher.guest.GuestOptions;
import org.virtio4j.launcher.guest.QemuCommand;
import org.virtio4j.launcher.guest.RunFolder;

/** Devices in a process of their own, a new one for each guest, at the same sockets and with the same disk. */
final class ServerProcess implements GuestDevices.Server {

    private static final String SERVING = "serving";
    private static final long DISK_BYTES = 128 << 20;

    private final Path folder;
    private final Path disk;
    private Process process;

    /** Makes a disk in the folder, where the sockets will be too. */
    ServerProcess(Path folder) throws IOException {
        this.folder = folder;
        this.disk = folder.resolve("disk");
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(DISK_BYTES);
        }
    }

    @Override
    public GuestDevices serve(RunFolder run, GuestOptions options) throws IOException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", classPath, ServerProcess.class.getName(),
                folder.toString(), disk.toString(), Integer.toString(options.processors()))
                .redirectError(Redirect.INHERIT).start();
        String said = process.inputReader(StandardCharsets.UTF_8).readLine();
        if (!SERVING.equals(said)) {
            throw new IOException("the server says: " + said);
        }
        return new Devices();
    }

    /** Gives it no chance. */
    void kill() {
        process.destroyForcibly();
    }

    /**
     * Serves until its input ends.
     *
     * @param args folder of the sockets, disk, queues of the disk
     * @throws IOException if that is impossible
     */
    public static void main(String[] args) throws IOException {
        SuiteDevices devices = new SuiteDevices(Wiring.DEFAULT, Path.of(args[0]), Path.of(args[1]),
                Integer.parseInt(args[2]), Optional.empty());
        System.out.println(SERVING);
        while (System.in.read() >= 0) {
            // Nothing is said to it.
        }
        devices.close();
    }

    /** What QEMU is told of it. */
    private final class Devices implements GuestDevices {

        @Override
        public String kernelOptions() {
            return " end=host";
        }

        @Override
        public void addTo(QemuCommand command, RunFolder run) throws IOException {
            SuiteDevices.describe(command, run, folder);
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
            process.getOutputStream().close();
            try {
                process.waitFor();
            } catch (InterruptedException givenUp) {
                process.destroyForcibly();
                throw new IOException("the test is given up", givenUp);
            }
        }
    }
}
