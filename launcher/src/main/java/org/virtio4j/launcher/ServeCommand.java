// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.replay.record.Recorder;
import org.virtio4j.serving.IommuFollower;
import org.virtio4j.serving.ServedMachine;
import org.virtio4j.serving.config.MachineReader;
import org.virtio4j.serving.plan.MachinePlan;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j serve}: serves the machines of a configuration until the user ends it. */
final class ServeCommand implements Command {

    private static final String CONFIG = "--config";
    private static final String RECORD = "--record";
    private static final long LOOK_AGAIN_NANOS = 50_000_000;

    private static final String ABOUT = """
            Serves a virtio-iommu, and disks, entropy sources and consoles behind it or not, to a vfio-user \
            client that you start, such as QEMU: each at a Unix socket. Prints the arguments QEMU needs, then serves \
            until Ctrl-C, also when the client leaves and comes again. End the client first: a guest that runs would \
            lose its devices. A machine with board = "virt" is one of arm64: a QEMU is started to write its device \
            tree, and ends at once.""";

    private static final String EXAMPLE = """

            The configuration has one machine or several, each like this one;
            all other keys are in docs/qemu.md:

              # Where the sockets go, counted from this file's folder, and the guest's RAM in MiB.
              [[machine]]
              folder = "run"
              memory = 512

              [machine.iommu]
              address = "00:08.0"

              [[machine.rng]]
              address = "00:09.0"

              [[machine.disk]]
              address = "00:0a.0"
              file = "disk.img\"""";

    private final PrintStream out;
    private final PrintStream err;
    private final Interruption interruption;

    ServeCommand(PrintStream out, PrintStream err, Interruption interruption) {
        this.out = out;
        this.err = err;
        this.interruption = interruption;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "serve", "serve the same devices to a client of your own, such as"
                + " QEMU", CONFIG + " FILE [" + RECORD + " FILE]")
                .addOption(CommandOptions.file(CONFIG, "what to serve"))
                .addOption(CommandOptions.file(RECORD,
                        "write down what the guest asks of its IOMMU, for virtio4j replay; of one machine"))
                .addOption(CommandOptions.help())
                // So that a configuration without --config is told what it lacks.
                .addPositional(CommandOptions.operands("FILE", String.class, text -> text).hidden(true).build());
        CommandHelp.explain(spec, ABOUT).usageMessage().footer(EXAMPLE.split("\n"));
        return CommandHelp.exits(spec, "1:not enough memory", "2:input that cannot be used", "130:ended by Ctrl-C");
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        Path config = arguments.matchedOptionValue(CONFIG, null);
        List<String> operands = arguments.matchedPositionalValue(0, List.of());
        if (config == null) {
            throw new CommandFailure("expected " + CONFIG + " FILE, found " + (operands.isEmpty() ? "none"
                    : "'" + operands.getFirst() + "'") + "; serve --help shows what a file may be like");
        }
        CommandOptions.refuseOperands(operands);
        Path record = arguments.matchedOptionValue(RECORD, null);
        interruption.preparing("reading " + config);
        List<MachinePlan> plans = MachineReader.read(config, record,
                notice -> err.println("virtio4j: " + notice));
        interruption.doing(record == null ? "beginning to serve" : "opening " + record);
        if (record != null && plans.size() > 1) {
            throw new CommandFailure("option " + RECORD + ": expected one machine, found " + plans.size());
        }
        try (Recorder recorder = record == null ? null : Recorder.to(record)) {
            serve(plans, recorder);
            if (recorder != null) {
                interruption.doing("writing " + record);
                recorder.finish();
            }
        }
        out.println("interrupted");
        return ExitStatus.INTERRUPTED;
    }

    private void serve(List<MachinePlan> plans, @Nullable Recorder recorder) throws CommandFailure {
        List<ServedMachine> machines = new ArrayList<>();
        try {
            if (begin(plans, recorder, machines)) {
                machines.forEach(this::announce);
                waitForInterruption(machines, recorder);
            }
        } finally {
            machines.forEach(this::end);
        }
    }

    /** Begins to serve; false if the user does not want it any more, which may be why a machine could not begin. */
    private boolean begin(List<MachinePlan> plans, @Nullable Recorder recorder, List<ServedMachine> machines)
            throws CommandFailure {
        try {
            for (MachinePlan plan : plans) {
                machines.add(serve(plan, recorder));
            }
            return true;
        } catch (CommandFailure failure) {
            if (interruption.requested()) {
                return false;
            }
            throw failure;
        }
    }

    private static ServedMachine serve(MachinePlan plan, @Nullable Recorder recorder) throws CommandFailure {
        try {
            return recorder == null ? ServedMachine.serve(plan)
                    : ServedMachine.serve(plan, new IommuFollower(recorder, recorder::watch));
        } catch (NoSuchFileException missing) {
            throw new CommandFailure("machine " + plan.name() + ": " + missing.getFile() + ": no such folder");
        } catch (AccessDeniedException denied) {
            throw new CommandFailure("machine " + plan.name() + ": " + denied.getFile() + ": no permission");
        } catch (IOException | IllegalArgumentException | UnsupportedOperationException refused) {
            throw new CommandFailure("machine " + plan.name() + ": " + refused.getMessage());
        }
    }

    private void announce(ServedMachine machine) {
        machine.startNotices().forEach(notice -> err.println("virtio4j: machine " + machine.name() + ": " + notice));
        out.println("machine " + machine.name() + " is served; QEMU 10.1 or newer finds it with");
        out.print(machine.qemuArguments().shell());
        List<String> plugging = machine.plugLines();
        if (!plugging.isEmpty()) {
            out.println("machine " + machine.name() + ": while the guest runs, QMP plugs and unplugs with");
            plugging.forEach(line -> out.println("  " + line));
        }
        machine.polledDevices().forEach(line -> out.println("machine " + machine.name() + ": " + line));
        out.flush();
    }

    private void waitForInterruption(List<ServedMachine> machines, @Nullable Recorder recorder) {
        boolean[] connected = new boolean[machines.size()];
        while (!interruption.requested()) {
            LockSupport.parkNanos(LOOK_AGAIN_NANOS);
            for (int i = 0; i < connected.length; i++) {
                connected[i] = look(machines.get(i), connected[i]);
                warn(machines.get(i), machines.get(i).notices());
            }
            if (recorder != null) {
                recorder.trouble().ifPresent(trouble -> err.println("virtio4j: " + trouble));
            }
        }
    }

    /** Tells when the first client of a machine comes, and when the last one has left. */
    private boolean look(ServedMachine machine, boolean before) {
        boolean now = machine.connected() > 0;
        if (now != before) {
            out.println("machine " + machine.name() + (now ? ": a client has come" : ": the client has left"));
            out.flush();
        }
        return now;
    }

    private void warn(ServedMachine machine, List<String> notices) {
        notices.forEach(notice -> err.println("virtio4j: machine " + machine.name() + ": " + notice));
    }

    private void end(ServedMachine machine) {
        interruption.doing("closing machine " + machine.name());
        warn(machine, machine.lastNotices());
        machine.report().forEach(line -> out.println("machine " + machine.name() + ": " + line));
        try {
            machine.close();
        } catch (IOException trouble) {
            err.println("virtio4j: machine " + machine.name() + ": " + trouble.getMessage());
        }
    }
}
