// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.console.ConsoleLine;
import org.virtio4j.harness.console.QemuProcess;
import org.virtio4j.harness.fetch.Kernel;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.image.BoxImage;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.machine.PciAddress;

/**
 * A host in a box: a Linux guest with an IOMMU of Intel's and functions in the hands of VFIO. A program of Java runs in
 * it as an ordinary user. Everything is emulated, so a box runs on machines that have no IOMMU.
 */
public final class Box {

    private static final int MEBIBYTES = 1024;

    private final Path home;
    private final Program program;
    private final GuestObserver observer;
    private final GuestFacts facts = new GuestFacts();
    private long startNanos;
    private @Nullable Duration untilInit;

    /**
     * What runs in it. It says what it finds through {@code /dev/kmsg}, as the guests' {@code init} does, and must say
     * {@code done} at its end.
     *
     * @param main the name of the class
     * @param arguments without spaces and commas
     * @param classPath jars, and folders with classes
     * @param functions QEMU's devices for lessons, each in a group of its own
     * @param lockedKibibytes how much memory the program may pin
     * @param mappings how many mappings a container may have
     */
    public record Program(String main, List<String> arguments, List<Path> classPath, List<PciAddress> functions,
            int lockedKibibytes, int mappings) {

        /** Keeps lists of its own. */
        public Program {
            arguments = List.copyOf(arguments);
            classPath = List.copyOf(classPath);
            functions = List.copyOf(functions);
        }
    }

    /**
     * Prepares a box.
     *
     * @param home the project's folder, where the script is that fetches what is missing
     * @param program what runs in it
     * @param observer hears how it gets on
     */
    public Box(Path home, Program program, GuestObserver observer) {
        this.home = home;
        this.program = program;
        this.observer = observer;
    }

    /**
     * Why there can be no box here: its Java is that of this machine.
     *
     * @return nothing if there can be one
     */
    public static Optional<String> obstacle() {
        String machine = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
        return machine.equals("Linux on amd64") ? Optional.empty()
                : Optional.of("a box takes the Java and the libraries of this machine, and is Linux on amd64; this is "
                        + machine);
    }

    /**
     * Runs the program to its end. The calling thread is busy until QEMU has ended.
     *
     * @return what came of it
     * @throws NotFetchedException if QEMU or the guest's system is not there and cannot be fetched
     * @throws UnusableGuestException if QEMU or kernel is none
     * @throws IOException if this machine's disk is full, or refuses otherwise to do its part
     */
    public GuestResult run() throws NotFetchedException, UnusableGuestException, IOException {
        Packages packages = new Packages(home, observer::interrupted);
        GuestOptions options = GuestOptions.of(Workload.BOOT).withProcessors(1).withMemory(MEBIBYTES);
        Qemu qemu = Qemu.find(options, packages);
        Path tools = packages.linux(options.platform());
        Kernel kernel = Kernel.unpackedIn(tools, Architecture.X86_64);
        try (RunFolder folder = new RunFolder()) {
            observer.step("building the box");
            Path image = folder.path("box.cpio");
            BoxImage.write(image, kernel, tools, program.classPath(), folder.path("java"));
            QemuCommand command = QemuCommand.of(qemu, options, folder).endOnReset().console().intelIommu();
            program.functions().forEach(command::lesson);
            command.boot(kernel.image(), image, kernelOptions());
            return run(qemu, command);
        }
    }

    private GuestResult run(Qemu qemu, QemuCommand command) throws IOException {
        observer.step("starting QEMU " + qemu.version());
        startNanos = System.nanoTime();
        // With the priority of this process, unlike other guests: nothing here has to answer the box in time.
        QemuProcess.End end = new QemuProcess(command.words(), QemuProcess.Limits.DEFAULT,
                () -> observer.interrupted() || facts.hasCrashed()).run(this::hear);
        Duration total = sinceStart();
        Optional<String> trouble = facts.failure().map(failure -> "the box says: " + failure).or(
                () -> facts.done() ? end.trouble() : Optional.of("the box has ended before its work was done"));
        return new GuestResult(qemu.version(), facts, untilInit == null ? total : untilInit, total, List.of(), trouble);
    }

    private String kernelOptions() {
        List<String> names = new ArrayList<>();
        program.functions().forEach(function -> names.add("0000:" + function));
        return "console=ttyS0 quiet panic=-1 no_timer_check printk.devkmsg=on intel_iommu=on"
                + " functions=" + String.join(",", names) + " locked=" + program.lockedKibibytes()
                + " mappings=" + program.mappings() + " main=" + program.main()
                + " arguments=" + String.join(",", program.arguments());
    }

    private void hear(String text) {
        observer.heard(text);
        ConsoleLine line = ConsoleLine.of(text);
        facts.add(line);
        if (line instanceof ConsoleLine.Step step) {
            untilInit = untilInit == null ? sinceStart() : untilInit;
            observer.step(step.text());
        }
    }

    private Duration sinceStart() {
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }
}
