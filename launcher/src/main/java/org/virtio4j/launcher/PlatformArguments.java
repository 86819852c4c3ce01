// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.Interrupts;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.Workload;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options of {@code virtio4j guest} that say what machine it is. */
final class PlatformArguments {

    private static final String ARCH = "--arch";
    private static final String INTERRUPTS = "--interrupts";
    private static final String PAGE_SIZE = "--page-size";

    /** A mainframe needs other arguments of QEMU for each function. A test gives them. */
    private static final List<Architecture> ARCHITECTURES =
            List.of(Architecture.X86_64, Architecture.ARM64, Architecture.RISCV64);
    /** A PC and a mainframe have no choice. */
    private static final List<Interrupts> CHOICES =
            List.of(Interrupts.ITS, Interrupts.GICV2M, Interrupts.IMSIC, Interrupts.PLIC);

    private PlatformArguments() {
    }

    static CommandSpec addTo(CommandSpec spec) {
        return spec.addOption(labelled("ARCH", CommandOptions.oneOf(ARCH, Architecture.class, ARCHITECTURES,
                "processors: x86_64 (default), arm64, or riscv64, whose Linux has no driver of the IOMMU")))
                .addOption(labelled("CHIP", CommandOptions.oneOf(INTERRUPTS, Interrupts.class, CHOICES,
                        "what brings them on arm64: its (default) or gicv2m; on riscv64: imsic (default) or plic")))
                .addOption(CommandOptions.value(PAGE_SIZE, "KIB", Integer.class, PlatformArguments::pageSize)
                        .completionCandidates(List.of("4", "16"))
                        .description("pages of the guest, in KiB: 4 (default), or 16 on arm64").build());
    }

    /** In the script for shells, all options of one label would have the values of the last of them. */
    private static OptionSpec labelled(String label, OptionSpec option) {
        return option.toBuilder().paramLabel(label).build();
    }

    private static Integer pageSize(String text) throws CommandFailure {
        return switch (text) {
            case "4" -> Platform.SMALL_PAGES;
            case "16" -> Platform.LARGE_PAGES;
            default -> throw new CommandFailure("option " + PAGE_SIZE + ": expected 4 or 16, found '" + text + "'");
        };
    }

    /**
     * What machine the user wants.
     *
     * @throws CommandFailure if there is none, or if it cannot do the work
     */
    static Platform platform(ParseResult arguments, Workload workload) throws CommandFailure {
        Architecture architecture = arguments.matchedOptionValue(ARCH, Architecture.X86_64);
        if (!workload.runsOn(architecture)) {
            throw new CommandFailure("workload " + workload + ": expected " + ARCH + " "
                    + names(ARCHITECTURES, workload::runsOn) + ", found " + architecture);
        }
        Platform platform = Platform.of(architecture);
        Interrupts interrupts = arguments.matchedOptionValue(INTERRUPTS, platform.interrupts());
        checkInterrupts(interrupts, architecture);
        int pages = arguments.matchedOptionValue(PAGE_SIZE, Platform.SMALL_PAGES);
        if (pages != Platform.SMALL_PAGES && architecture != Architecture.ARM64) {
            throw new CommandFailure("option " + PAGE_SIZE + ": expected " + Platform.SMALL_PAGES + ", or " + ARCH + " "
                    + Architecture.ARM64 + ", found " + pages);
        }
        int processors = arguments.matchedOptionValue(GuestArguments.CPUS, 1);
        if (processors > interrupts.mostProcessors()) {
            throw new CommandFailure("option " + GuestArguments.CPUS + ": expected 1 to " + interrupts.mostProcessors()
                    + " with " + interrupts + ", found " + processors);
        }
        return platform.withInterrupts(interrupts).withPages(pages);
    }

    private static void checkInterrupts(Interrupts interrupts, Architecture architecture) throws CommandFailure {
        if (interrupts.architecture() != architecture) {
            String own = names(CHOICES, choice -> choice.architecture() == architecture);
            throw new CommandFailure("option " + INTERRUPTS + ": expected "
                    + (own.isEmpty() ? ARCH + " " + interrupts.architecture() : own + " with " + architecture)
                    + ", found " + (own.isEmpty() ? architecture : interrupts));
        }
    }

    /**
     * Refuses options that need a driver of the IOMMU.
     *
     * @throws CommandFailure if one of them is given
     */
    static void refuse(ParseResult arguments, List<String> options, Architecture architecture) throws CommandFailure {
        for (String option : options) {
            if (arguments.hasMatchedOption(option)) {
                throw new CommandFailure("option " + option + ": expected " + ARCH + " "
                        + names(ARCHITECTURES, Architecture::drivesIommu)
                        + ", whose Linux has a driver of the IOMMU, found " + architecture);
            }
        }
    }

    private static <T> String names(List<T> all, Predicate<T> wanted) {
        Stream<T> matching = all.stream().filter(wanted);
        return matching.map(String::valueOf).collect(Collectors.joining(" or "));
    }
}
