// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
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
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.replay.record.Recorder;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j guest}: boots a Linux guest and prints the result. */
final class GuestCommand implements Command {

    private static final int ROUNDS = 2;

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
        GuestArguments.addTo(spec).addOption(CommandOptions.help());
        return CommandHelp.exits(spec, "0:the work is done", "1:it failed", "2:input that cannot be used",
                "3:no QEMU or no guest to be had", "130:ended by Ctrl-C");
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        Path home = Path.of(System.getProperty("virtio4j.home", "."));
        GuestOptions wanted = GuestArguments.options(arguments);
        Path record = arguments.matchedOptionValue(GuestArguments.RECORD, null);
        try (Recorder recorder = record == null ? null : Recorder.to(record)) {
            if (arguments.hasMatchedOption(GuestArguments.COMPARE)) {
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
}
