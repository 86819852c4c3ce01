// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.harness.Comparison;
import org.virtio4j.harness.Guest;
import org.virtio4j.harness.GuestObserver;
import org.virtio4j.harness.GuestResult;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.replay.record.Recorder;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j guest}: boots a Linux guest and prints the result. */
final class GuestCommand implements Command {

    private static final String WORKLOAD = "--workload";
    private static final String STRICT = "--strict";
    private static final String PASSTHROUGH = "--passthrough";
    private static final String CPUS = "--cpus";
    private static final String MEMORY = "--memory";
    private static final String MEMORY_FILE = "--memory-file";
    private static final String QEMU = "--qemu";
    private static final String QEMU_DEVICES = "--qemu-devices";
    private static final String CONSOLE = "--console";
    private static final String RECORD = "--record";
    private static final String COMPARE = "--compare";
    private static final String KERNEL = "--kernel";
    private static final String NEXT_KERNEL = "--next-kernel";
    private static final int NAME_COLUMNS = 8;
    private static final int ROUNDS = 2;
    private static final int MOST_CPUS = 64;
    private static final int LEAST_MEMORY = 384;
    private static final int MOST_MEMORY = 1 << 20;

    private static final String ABOUT = """
            Boots an unmodified Debian Linux under an unmodified QEMU, with a virtio-iommu, and a disk and an entropy \
            source behind it, and lets it work. Needs no root and no KVM. What is missing is fetched once, from \
            Debian's packages, into the cache folder.""";

    private final PrintStream out;
    private final PrintStream err;
    private final Interruption interruption;
    private final long startNanos = System.nanoTime();

    GuestCommand(PrintStream out, PrintStream err, Interruption interruption) {
        this.out = out;
        this.err = err;
        this.interruption = interruption;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "guest",
                "boot a Linux guest with an IOMMU, and a disk, an entropy source or a console behind it",
                "[OPTION...]");
        CommandHelp.explain(spec, ABOUT);
        addDevices(addLinux(spec)).addOption(CommandOptions.help());
        return CommandHelp.exits(spec, "0:the work is done", "1:it failed", "2:input that cannot be used",
                "3:no QEMU or no guest to be had", "130:ended by Ctrl-C");
    }

    private static CommandSpec addLinux(CommandSpec spec) {
        return spec.addOption(CommandOptions.oneOf(WORKLOAD, Workload.class, List.of(Workload.values()), workloads()))
                .addOption(CommandOptions.flag(STRICT, "Linux takes every mapping away as soon as it is not needed"
                        + " (default: later, many at once)"))
                .addOption(CommandOptions.flag(PASSTHROUGH, "Linux lets devices use physical addresses"))
                .addOption(CommandOptions.number(CPUS, "N", 1, MOST_CPUS, "processors of the guest (default: 2)"))
                .addOption(CommandOptions.number(MEMORY, "MIB", LEAST_MEMORY, MOST_MEMORY,
                        "RAM of the guest in MiB (default: 512)"))
                .addOption(CommandOptions.flag(MEMORY_FILE,
                        "RAM is a file that is opened by its name, not a descriptor that is handed over"))
                .addOption(CommandOptions.file(QEMU, "the qemu-system-x86_64 to use, 10.1 or newer"))
                .addOption(CommandOptions.file(KERNEL,
                        "the kernel to boot, with its modules in lib/modules/VERSION of a folder above"))
                .addOption(CommandOptions.file(NEXT_KERNEL, "the kernel that workloads kexec and crash start, likewise"
                        + " (default: the same once more)"));
    }

    private static CommandSpec addDevices(CommandSpec spec) {
        return spec.addOption(CommandOptions.flag(QEMU_DEVICES, "QEMU's own IOMMU, disk and entropy source"))
                .addOption(CommandOptions.flag(CONSOLE, "the shell is at a virtio-console of ours, hvc0, a line at a"
                        + " time, and not at QEMU's serial port"))
                .addOption(CommandOptions.flag(COMPARE,
                        "our devices and QEMU's own by turns, twice each, with workload verify"))
                .addOption(CommandOptions.file(RECORD,
                        "write down what the guest asks of its IOMMU, for virtio4j replay"));
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        Path home = Path.of(System.getProperty("virtio4j.home", "."));
        GuestOptions wanted = guestOptions(arguments);
        Path record = arguments.matchedOptionValue(RECORD, null);
        try (Recorder recorder = record == null ? null : Recorder.to(record)) {
            if (arguments.hasMatchedOption(COMPARE)) {
                return report(Comparison.run(wanted, ROUNDS, home, observer()));
            }
            Guest guest = recorder == null ? new Guest(wanted, home, observer())
                    : Guest.recorded(wanted, home, observer(), recorder);
            int status = report(guest.run());
            return recorder == null ? status : finish(recorder, status);
        } catch (NotFetchedException told) {
            return interruption.requested() ? ExitStatus.INTERRUPTED : ExitStatus.NOT_STARTED;
        } catch (UnusableGuestException | UnsupportedOperationException unusable) {
            // The second: a JVM without native access cannot serve a guest.
            throw new CommandFailure(String.valueOf(unusable.getMessage()));
        } catch (IOException trouble) {
            throw new CommandFailure("the guest's files: " + trouble.getMessage());
        }
    }

    /** A guest that failed may have made no request. Its failure is what counts then. */
    private int finish(Recorder recorder, int status) throws CommandFailure {
        try {
            recorder.finish();
        } catch (CommandFailure lost) {
            if (status == ExitStatus.OK) {
                throw lost;
            }
            err.println("virtio4j: " + lost.getMessage());
        }
        return status;
    }

    private int report(Comparison comparison) {
        int status = report(comparison.ours().getLast());
        if (status == ExitStatus.OK && !comparison.qemus().isEmpty()) {
            status = report(comparison.qemus().getLast());
        }
        if (status == ExitStatus.OK) {
            out.print(GuestReport.of(comparison));
        }
        return status;
    }

    private int report(GuestResult result) {
        if (interruption.requested()) {
            out.println("interrupted");
            return ExitStatus.INTERRUPTED;
        }
        out.print(GuestReport.of(result));
        if (result.trouble().isEmpty()) {
            return ExitStatus.OK;
        }
        result.facts().lastLines().forEach(line -> err.println("  | " + line));
        err.println("virtio4j: " + result.trouble().get());
        return ExitStatus.FAILED;
    }

    private GuestObserver observer() {
        return new GuestObserver() {
            @Override
            public void step(String what) {
                double seconds = (System.nanoTime() - startNanos) / 1e9;
                out.println(String.format(Locale.ROOT, "%7.1f s  %s", seconds, what));
                out.flush();
            }

            @Override
            public void notice(String what) {
                err.println("virtio4j: " + what);
            }

            @Override
            public boolean interrupted() {
                return interruption.requested();
            }
        };
    }

    private static GuestOptions guestOptions(ParseResult arguments) throws CommandFailure {
        Workload workload = arguments.matchedOptionValue(WORKLOAD, Workload.VERIFY);
        if (workload == Workload.FAULT && arguments.hasMatchedOption(QEMU_DEVICES)) {
            throw new CommandFailure("workload " + workload + ": expected devices that can be made to misbehave, found "
                    + QEMU_DEVICES);
        }
        if (arguments.hasMatchedOption(CONSOLE) && workload != Workload.SHELL) {
            throw new CommandFailure("option " + CONSOLE + ": expected workload " + Workload.SHELL + ", found "
                    + workload);
        }
        if ((arguments.hasMatchedOption(CONSOLE) || workload == Workload.CONSOLE)
                && arguments.hasMatchedOption(QEMU_DEVICES)) {
            throw new CommandFailure("expected devices of this project for a console, found " + QEMU_DEVICES);
        }
        if (arguments.hasMatchedOption(RECORD) && arguments.hasMatchedOption(QEMU_DEVICES)) {
            throw new CommandFailure("option " + RECORD + ": expected devices of this project to record, found "
                    + QEMU_DEVICES);
        }
        if (arguments.hasMatchedOption(COMPARE) && (workload != Workload.VERIFY
                || arguments.hasMatchedOption(QEMU_DEVICES) || arguments.hasMatchedOption(RECORD))) {
            throw new CommandFailure("option " + COMPARE + ": expected workload " + Workload.VERIFY + " and neither "
                    + QEMU_DEVICES + " nor " + RECORD);
        }
        if (arguments.hasMatchedOption(NEXT_KERNEL) && !workload.startsKernel()) {
            throw new CommandFailure("option " + NEXT_KERNEL + ": expected workload " + Workload.KEXEC + " or "
                    + Workload.CRASH + ", found " + workload);
        }
        return GuestOptions.of(workload).withProcessors(arguments.matchedOptionValue(CPUS, 2))
                .withMemory(arguments.matchedOptionValue(MEMORY, 512)).withTranslation(translation(arguments))
                .withMemoryByName(arguments.hasMatchedOption(MEMORY_FILE))
                .withConsole(arguments.hasMatchedOption(CONSOLE))
                .withQemuDevices(arguments.hasMatchedOption(QEMU_DEVICES))
                .withQemu(arguments.matchedOptionValue(QEMU, null))
                .withKernels(arguments.matchedOptionValue(KERNEL, null),
                        arguments.matchedOptionValue(NEXT_KERNEL, null));
    }

    private static Translation translation(ParseResult arguments) throws CommandFailure {
        if (arguments.hasMatchedOption(STRICT) && arguments.hasMatchedOption(PASSTHROUGH)) {
            throw new CommandFailure("expected " + STRICT + " or " + PASSTHROUGH + ", found both");
        }
        if (arguments.hasMatchedOption(STRICT)) {
            return Translation.STRICT;
        }
        return arguments.hasMatchedOption(PASSTHROUGH) ? Translation.PASSTHROUGH : Translation.LAZY;
    }

    /** Pads by hand, because this is done at each start, and the JDK's formatter takes long to load. */
    private static String[] workloads() {
        List<String> lines = new ArrayList<>(List.of("what the guest does (default: verify):"));
        for (Workload workload : Workload.values()) {
            String name = workload.toString();
            lines.add(name + " ".repeat(Math.max(1, NAME_COLUMNS - name.length())) + workload.about());
        }
        return lines.toArray(String[]::new);
    }
}
