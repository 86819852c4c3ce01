// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.harness.fetch.Kernel;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.image.Initramfs;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.serving.ServedMachine;
import org.virtio4j.serving.config.MachineReader;

/** A machine of the board virt as {@code serve} has it: the arguments that it prints go into a shell as they stand. */
@GuestScenario
class ServeVirtTest {

    private static final Path HOME = Path.of(System.getProperty("virtio4j.home", "..")).toAbsolutePath();
    private static final String CONFIGURATION = """
            [[machine]]
            folder = "it's run"
            board = "virt"
            interrupts = "INTERRUPTS"
            processors = 2
            qemu = "./qemu"
            [machine.iommu]
            address = "00:05.0"
            [[machine.rng]]
            address = "00:07.0"
            [[machine.console]]
            address = "00:0b.0"
            socket = "console.sock"
            [[machine.disk]]
            address = "00:0c.0"
            file = "disk"
            """;
    private static final long DISK_BYTES = 128 << 20;
    private static final GuestOptions OPTIONS = GuestOptions.of(Workload.VERIFY);

    @TempDir
    private Path folder;

    @FullSuite
    @ParameterizedTest
    @CsvSource({"its, 4, ITS-PCI-MSIX", "its, 16, ITS-PCI-MSIX", "gicv2m, 4, GICv2m-PCI-MSIX",
            "gicv2m, 16, GICv2m-PCI-MSIX"})
    void shouldVerifyItsDisk(String interrupts, int pageKibibytes, String way)
            throws IOException, NotFetchedException, UnusableGuestException, CommandFailure {
        String boot = boot(Platform.of(Architecture.ARM64).withPages(pageKibibytes));
        try (RandomAccessFile disk = new RandomAccessFile(folder.resolve("disk").toFile(), "rw")) {
            disk.setLength(DISK_BYTES);
        }
        Path config = Files.writeString(folder.resolve("vm.toml"), CONFIGURATION.replace("INTERRUPTS", interrupts));
        try (ServedMachine machine = ServedMachine.serve(MachineReader.read(config).getFirst())) {
            String said = run("exec timeout 300 ./qemu -nographic -no-reboot " + boot
                    + machine.qemuArguments().shell());
            assertTrue(said.contains("virtio4j: done"), said);
            assertTrue(said.contains("fact page-kibibytes=" + pageKibibytes), said);
            for (String function : List.of("0000:00:07.0", "0000:00:0c.0")) {
                assertTrue(said.lines().anyMatch(line -> line.matches(".*fact interrupts/" + function + "=" + way
                        + " [1-9]\\d*")), said);
            }
            assertEquals(3, said.lines().filter(line -> line.matches(".*fact group/\\d+/reserved=.* msi")).count());
            assertEquals(List.of(), machine.lastNotices());
        }
    }

    /** Kernel and first file system as words for a shell; the QEMU goes into the folder, as a script. */
    private String boot(Platform platform) throws IOException, UnusableGuestException, NotFetchedException {
        GuestOptions options = OPTIONS.withPlatform(platform);
        Packages packages = new Packages(HOME, () -> false);
        try {
            Qemu qemu = Qemu.find(options, packages);
            Path tools = packages.linux(platform);
            Kernel kernel = Kernel.unpackedIn(tools, Architecture.ARM64);
            Path initramfs = Files.write(folder.resolve("initramfs.gz"),
                    Initramfs.of(Architecture.ARM64, kernel, tools, OPTIONS.workload(), false));
            Path script = Files.writeString(folder.resolve("qemu"), "#!/bin/sh\nexec " + qemu.command().stream()
                    .collect(Collectors.joining("' '", "'", "'")) + " \"$@\"\n");
            assertTrue(script.toFile().setExecutable(true));
            return "-kernel '" + kernel.image() + "' -initrd " + initramfs + " -append '" + options.kernelOptions()
                    + "' \\\n";
        } catch (NotFetchedException told) {
            Assumptions.abort("not fetched: " + told.getMessage());
            throw told;
        }
    }

    private String run(String command) throws IOException {
        Process shell = new ProcessBuilder("sh", "-c", command).directory(folder.toFile()).redirectErrorStream(true)
                .start();
        try {
            shell.getOutputStream().close();
            return new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            shell.destroyForcibly();
        }
    }
}
