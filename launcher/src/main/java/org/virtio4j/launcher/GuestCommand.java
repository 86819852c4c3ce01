// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.command.NearestName;
import org.virtio4j.command.Options;
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

/** {@code virtio4j guest}: boots a Linux guest and prints the result. */
final class GuestCommand {

    private static final String WORKLOAD = "--workload";
    private static final String STRICT = "--strict";
    private static final String PASSTHROUGH = "--passthrough";
    private static final String CPUS = "--cpus";
    private static final String MEMORY = "--memory";
    private static final String MEMORY_FILE = "--memory-file";
    private static final String QEMU = "--qemu";
    private static final String QEMU_DEVICES = "--qemu-devices";
    private static final String RECORD = "--record";
    private static final String COMPARE = "--compare";
    private static final String KERNEL = "--kernel";
    private static final String NEXT_KERNEL = "--next-kernel";
    private static final Map<String, Boolean> OPTIONS = Map.ofEntries(Map.entry(WORKLOAD, true),
            Map.entry(STRICT, false), Map.entry(PASSTHROUGH, false), Map.entry(CPUS, true), Map.entry(MEMORY, true),
            Map.entry(MEMORY_FILE, false), Map.entry(QEMU, true), Map.entry(QEMU_DEVICES, false),
            Map.entry(RECORD, true), Map.entry(COMPARE, false), Map.entry(KERNEL, true),
            Map.entry(NEXT_KERNEL, true), Map.entry(Options.HELP, false));
    private static final String WORKLOADS = "{workloads}";
    private static final int ROUNDS = 2;
    private static final int MOST_CPUS = 64;
    private static final int LEAST_MEMORY = 384;
    private static final int MOST_MEMORY = 1 << 20;

    private static final String USAGE = """
            Usage: virtio4j guest [OPTION...]

            Boots an unmodified Debian Linux under an unmodified QEMU, with a virtio-iommu, and a disk and an entropy
            source behind it, and lets it work. Needs no root and no KVM. What is missing is fetched once, from Debian's
            packages, into the cache folder.

              --workload NAME  what the guest does (default: verify):
            {workloads}
              --strict         Linux takes every mapping away as soon as it is not needed (default: later, many at once)
              --passthrough    Linux lets devices use physical addresses
              --cpus N         processors of the guest (default: 2)
              --memory MIB     RAM of the guest in MiB (default: 512)
              --memory-file    RAM is a file that is opened by its name, not a descriptor that is handed over
              --qemu FILE      the qemu-system-x86_64 to use, 10.1 or newer
              --kernel FILE    the kernel to boot, with its modules in lib/modules/VERSION of a folder above
              --next-kernel FILE
                               the kernel that workloads kexec and crash start, likewise (default: the same once more)
              --qemu-devices   QEMU's own IOMMU, disk and entropy source
              --compare        our devices and QEMU's own by turns, twice each, with workload verify
              --record FILE    write down what the guest asks of its IOMMU, for virtio4j replay
              --help           print this

            Exit status: 0 the work is done, 1 it failed, 2 input that cannot be used, 3 no QEMU or no guest to be had,
            130 ended by Ctrl-C.
            """;

    private final PrintStream out;
    private final PrintStream err;
    private final Interruption interruption;
    private final long startNanos = System.nanoTime();

    GuestCommand(PrintStream out, PrintStream err, Interruption interruption) {
        this.out = out;
        this.err = err;
        this.interruption = interruption;
    }

    int run(List<String> args) throws CommandFailure {
        Options options = Options.parse(args, OPTIONS);
        if (options.has(Options.HELP)) {
            out.print(USAGE.replace(WORKLOADS, workloads()));
            return ExitStatus.OK;
        }
        options.refuseOperands();
        Path home = Path.of(System.getProperty("virtio4j.home", "."));
        GuestOptions wanted = guestOptions(options);
        Path record = options.path(RECORD);
        try (Recorder recorder = record == null ? null : Recorder.to(record)) {
            if (options.has(COMPARE)) {
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

    private static GuestOptions guestOptions(Options options) throws CommandFailure {
        Workload workload = workload(options.value(WORKLOAD));
        if (workload == Workload.FAULT && options.has(QEMU_DEVICES)) {
            throw new CommandFailure("workload " + workload + ": expected devices that can be made to misbehave, found "
                    + QEMU_DEVICES);
        }
        if (options.has(RECORD) && options.has(QEMU_DEVICES)) {
            throw new CommandFailure("option " + RECORD + ": expected devices of this project to record, found "
                    + QEMU_DEVICES);
        }
        if (options.has(COMPARE)
                && (workload != Workload.VERIFY || options.has(QEMU_DEVICES) || options.has(RECORD))) {
            throw new CommandFailure("option " + COMPARE + ": expected workload " + Workload.VERIFY + " and neither "
                    + QEMU_DEVICES + " nor " + RECORD);
        }
        if (options.has(NEXT_KERNEL) && !workload.startsKernel()) {
            throw new CommandFailure("option " + NEXT_KERNEL + ": expected workload " + Workload.KEXEC + " or "
                    + Workload.CRASH + ", found " + workload);
        }
        return GuestOptions.of(workload).withProcessors(number(options, CPUS, 2, 1, MOST_CPUS))
                .withMemory(number(options, MEMORY, 512, LEAST_MEMORY, MOST_MEMORY))
                .withTranslation(translation(options)).withMemoryByName(options.has(MEMORY_FILE))
                .withQemuDevices(options.has(QEMU_DEVICES)).withQemu(options.path(QEMU))
                .withKernels(options.path(KERNEL), options.path(NEXT_KERNEL));
    }

    private static Translation translation(Options options) throws CommandFailure {
        if (options.has(STRICT) && options.has(PASSTHROUGH)) {
            throw new CommandFailure("expected " + STRICT + " or " + PASSTHROUGH + ", found both");
        }
        if (options.has(STRICT)) {
            return Translation.STRICT;
        }
        return options.has(PASSTHROUGH) ? Translation.PASSTHROUGH : Translation.LAZY;
    }

    private static Workload workload(@Nullable String text) throws CommandFailure {
        if (text == null) {
            return Workload.VERIFY;
        }
        for (Workload workload : Workload.values()) {
            if (workload.toString().equals(text)) {
                return workload;
            }
        }
        throw new CommandFailure("unknown workload '" + text + "'"
                + NearestName.hint(text, Arrays.stream(Workload.values()).map(Workload::toString).toList()));
    }

    private static String workloads() {
        return Arrays.stream(Workload.values())
                .map(workload -> String.format(Locale.ROOT, "                     %-7s %s", workload, workload.about()))
                .collect(Collectors.joining("\n"));
    }

    private static int number(Options options, String name, int otherwise, int least, int most) throws CommandFailure {
        String text = options.value(name);
        if (text == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Refused as numbers out of range are.
        }
        throw new CommandFailure("option " + name + ": expected " + least + " to " + most + ", found '" + text + "'");
    }
}
