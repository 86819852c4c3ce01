// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.Workload;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** The options of {@code virtio4j guest}, and what goes together of them. */
final class GuestArguments {

    static final String RECORD = "--record";
    static final String COMPARE = "--compare";
    static final String CPUS = "--cpus";

    private static final String WORKLOAD = "--workload";
    private static final String STRICT = "--strict";
    private static final String PASSTHROUGH = "--passthrough";
    private static final String MEMORY = "--memory";
    private static final String MEMORY_FILE = "--memory-file";
    private static final String QEMU = "--qemu";
    private static final String QEMU_DEVICES = "--qemu-devices";
    private static final String CONSOLE = "--console";
    private static final String KERNEL = "--kernel";
    private static final String NEXT_KERNEL = "--next-kernel";
    /** What has no meaning without a driver of the IOMMU. */
    private static final List<String> NEED_DRIVER = List.of(STRICT, PASSTHROUGH, RECORD, QEMU_DEVICES, COMPARE);

    private static final int NAME_COLUMNS = 8;
    private static final int MOST_CPUS = 64;
    private static final int LEAST_MEMORY = 384;
    private static final int MOST_MEMORY = 1 << 20;

    private GuestArguments() {
    }

    static CommandSpec addTo(CommandSpec spec) {
        return addDevices(addLinux(spec));
    }

    private static CommandSpec addLinux(CommandSpec spec) {
        spec.addOption(CommandOptions.oneOf(WORKLOAD, Workload.class, List.of(Workload.values()), workloads()));
        return PlatformArguments.addTo(spec)
                .addOption(CommandOptions.flag(STRICT, "Linux takes every mapping away as soon as it is not needed"
                        + " (default: later, many at once)"))
                .addOption(CommandOptions.flag(PASSTHROUGH, "Linux lets devices use physical addresses"))
                .addOption(CommandOptions.number(CPUS, "N", 1, MOST_CPUS,
                        "processors of the guest (default: 2; 1 with arm64)"))
                .addOption(CommandOptions.number(MEMORY, "MIB", LEAST_MEMORY, MOST_MEMORY,
                        "RAM of the guest in MiB (default: 512)"))
                .addOption(CommandOptions.flag(MEMORY_FILE,
                        "RAM is a file that is opened by its name, not a descriptor that is handed over"))
                .addOption(CommandOptions.file(QEMU,
                        "the qemu-system-x86_64 to use, or that of --arch, 10.1 or newer"))
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

    /** Pads by hand, because this is done at each start, and the JDK's formatter takes long to load. */
    private static String[] workloads() {
        List<String> lines = new ArrayList<>(List.of("what the guest does (default: verify):"));
        for (Workload workload : Workload.values()) {
            String name = workload.toString();
            lines.add(name + " ".repeat(Math.max(1, NAME_COLUMNS - name.length())) + workload.about());
        }
        return lines.toArray(String[]::new);
    }

    /**
     * What kind of guest the user wants.
     *
     * @throws CommandFailure if the options do not go together
     */
    static GuestOptions options(ParseResult arguments) throws CommandFailure {
        Workload workload = arguments.matchedOptionValue(WORKLOAD, Workload.VERIFY);
        checkDevices(arguments, workload);
        checkWorkload(arguments, workload);
        Platform platform = PlatformArguments.platform(arguments, workload);
        if (!platform.architecture().drivesIommu()) {
            PlatformArguments.refuse(arguments, NEED_DRIVER, platform.architecture());
        }
        return GuestOptions.of(workload).withPlatform(platform)
                .withProcessors(arguments.matchedOptionValue(CPUS, workload.processors(platform.architecture())))
                .withMemory(arguments.matchedOptionValue(MEMORY, 512)).withTranslation(translation(arguments))
                .withMemoryByName(arguments.hasMatchedOption(MEMORY_FILE))
                .withConsole(arguments.hasMatchedOption(CONSOLE))
                .withQemuDevices(arguments.hasMatchedOption(QEMU_DEVICES))
                .withQemu(arguments.matchedOptionValue(QEMU, null))
                .withKernels(arguments.matchedOptionValue(KERNEL, null),
                        arguments.matchedOptionValue(NEXT_KERNEL, null));
    }

    private static void checkDevices(ParseResult arguments, Workload workload) throws CommandFailure {
        if (workload == Workload.FAULT && arguments.hasMatchedOption(QEMU_DEVICES)) {
            throw new CommandFailure("workload " + workload + ": expected devices that can be made to misbehave, found "
                    + QEMU_DEVICES);
        }
        if (workload == Workload.PLUG && arguments.hasMatchedOption(QEMU_DEVICES)) {
            throw new CommandFailure("workload " + workload + ": expected devices of this project, found "
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
    }

    private static void checkWorkload(ParseResult arguments, Workload workload) throws CommandFailure {
        if (arguments.hasMatchedOption(COMPARE) && (workload != Workload.VERIFY
                || arguments.hasMatchedOption(QEMU_DEVICES) || arguments.hasMatchedOption(RECORD))) {
            throw new CommandFailure("option " + COMPARE + ": expected workload " + Workload.VERIFY + " and neither "
                    + QEMU_DEVICES + " nor " + RECORD);
        }
        if (arguments.hasMatchedOption(NEXT_KERNEL) && !workload.startsKernel()) {
            throw new CommandFailure("option " + NEXT_KERNEL + ": expected workload " + Workload.KEXEC + " or "
                    + Workload.CRASH + ", found " + workload);
        }
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
}
