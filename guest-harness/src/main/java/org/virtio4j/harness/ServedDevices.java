// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.harness.console.UserTerminal;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.replay.Replay;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.record.Recorder;
import org.virtio4j.serving.IommuFollower;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.ServedMachine;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;

/** This project's devices, each served to QEMU at a socket of its own. */
final class ServedDevices implements GuestDevices {

    /** Where nothing is mapped: Linux takes addresses from the top of a device's range. */
    private static final long STRAY_ADDRESS = 0xdead000;
    private static final long STRAY_BYTES = 16;

    private static final long PATIENCE_NANOS = 5_000_000_000L;
    private static final long PAUSE_NANOS = 1_000_000;
    private static final int WARM_UPS = 5;

    /** The default of the command serve. */
    private static final Duration LINGER = Duration.ofNanos(10_000);

    private final ServedMachine machine;
    private final Architecture architecture;
    private final DmaHandle stray;
    private final Thread warmUp;

    private final DiskPlugger plugger;

    private ServedDevices(ServedMachine machine, Architecture architecture, DiskPlugger plugger) {
        this.plugger = plugger;
        this.machine = machine;
        this.architecture = architecture;
        stray = machine.dma(Guest.RNG).open("stray DMA");
        warmUp = Thread.ofPlatform().name("warm-up").daemon().start(ServedDevices::warmUp);
    }

    /**
     * Runs the code that serves requests, on an IOMMU of its own, so that the JIT compiler compiles it. Firmware and
     * the start of Linux keep one processor busy and use the devices little; Linux at work makes many requests at once.
     * One run is not enough: the more code waits to be compiled, the higher are the compiler's thresholds.
     */
    private static void warmUp() {
        for (int i = 0; i < WARM_UPS; i++) {
            Replay.warmUpAll(List.of(ReplayTransport.PCI));
        }
    }

    /** Begins to serve at sockets in the folder. */
    static ServedDevices serve(RunFolder folder, GuestOptions options, Qemu qemu, @Nullable Recorder recorder)
            throws IOException {
        MachinePlan plan = plan(folder, options).withBoard(qemu.board(options));
        ServedMachine machine = recorder == null ? ServedMachine.serve(plan)
                : ServedMachine.serve(plan, new IommuFollower(recorder, recorder::watch));
        return new ServedDevices(machine, options.architecture(), new DiskPlugger(folder));
    }

    private static MachinePlan plan(RunFolder folder, GuestOptions options) throws IOException {
        Optional<Path> memoryFile =
                options.memoryByName() ? Optional.of(folder.path(RunFolder.MEMORY)) : Optional.empty();
        ReservedRegions reserved = options.platform().interrupts().reserved();
        List<DevicePlan> devices = new ArrayList<>(List.of(
                new DevicePlan("rng", Guest.RNG, true, reserved, VirtioEntropy::new),
                new DevicePlan("disk", Guest.DISK, true, reserved,
                        VirtioBlock.builder(folder.path(RunFolder.DISK)).queues(options.processors())::build)));
        if (options.hasConsole()) {
            devices.add(new DevicePlan("console", Guest.CONSOLE, true, reserved,
                    options.workload() == Workload.CONSOLE ? ConsolePeer::console : UserTerminal::console));
        }
        if (options.workload() == Workload.PLUG) {
            Path file = folder.sparseFile("plugged-file", Guest.DISK_BYTES);
            devices.add(DiskPlugger.plan(reserved, VirtioBlock.builder(file)::build));
        }
        return new MachinePlan("guest", folder.path(""),
                MemoryPlan.of(options.memoryMebibytes()).withFile(memoryFile),
                IommuPlan.at(Guest.IOMMU).withSettings(iommu -> iommu.linger(LINGER)),
                devices);
    }

    /** Where Linux has no driver of the IOMMU, nothing tells it who is behind it. */
    @Override
    public void addTo(QemuCommand command, RunFolder folder) {
        QemuArguments arguments = new QemuArguments();
        if (architecture.drivesIommu()) {
            machine.addTo(arguments);
        } else {
            machine.addSocketsTo(arguments);
        }
        plugger.addTo(command.arguments(arguments));
    }

    /** The entropy source writes where nothing is mapped for it. The calling thread is the only one that does so. */
    @Override
    public void strayDma() {
        try (Arena arena = Arena.ofConfined()) {
            stray.enter();
            // It is refused, as intended. The IOMMU reports it when the section ends.
            Object ignored = stray.write(STRAY_ADDRESS, arena.allocate(STRAY_BYTES), 0, STRAY_BYTES);
            stray.leave();
        }
    }

    @Override
    public void plug() throws IOException {
        plugger.plug();
    }

    @Override
    public void unplug() throws IOException {
        plugger.unplug();
    }

    @Override
    public List<String> notices() {
        return machine.notices();
    }

    /** QEMU has ended, but its sockets may still be removing its memory, which the report must show. */
    @Override
    public List<String> report() {
        long began = System.nanoTime();
        while (machine.connected() > 0 && System.nanoTime() - began < PATIENCE_NANOS) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        List<String> lines = new ArrayList<>(machine.report());
        lines.addAll(machine.lastNotices());
        return lines;
    }

    @Override
    public void close() throws IOException {
        stray.close();
        plugger.close();
        machine.close();
        try {
            warmUp.join();
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
    }
}
