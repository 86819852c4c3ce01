// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.harness.GuestDevices;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.ServedMachine;
import org.virtio4j.serving.plan.BoardPlan;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;

/**
 * IOMMU, entropy source, a disk behind the IOMMU and a disk beside it, served as the command serves them. The disks are
 * made for the guest, or are files of the test.
 */
final class TwoDisks implements GuestDevices {

    private static final String BEHIND_FUNCTION = "0000:00:0a.0";
    private static final String BESIDE_FUNCTION = "0000:00:0b.0";
    private static final String BESIDE = "beside";
    static final PciAddress IOMMU = PciAddress.of("00:08.0");
    static final PciAddress RNG = PciAddress.of("00:09.0");
    static final PciAddress DISK_BEHIND = PciAddress.of("00:0a.0");
    static final PciAddress DISK_BESIDE = PciAddress.of("00:0b.0");
    /** What no guest writes to, from the beginning of each disk. */
    private static final int REGION_MEBIBYTES = 4;
    /** Where the next kernel writes, and how much. */
    private static final int WRITTEN_AT_MEBIBYTE = 32;
    private static final int WRITTEN_MEBIBYTES = 8;
    private static final long PARTITION_SCAN = 64 << 10;
    private static final long SEED = 0x76697274696f346aL;

    private final ServedMachine machine;
    private final boolean ours;
    private final Path behind;
    private final Path beside;
    private final List<VirtioBlock> disks = new ArrayList<>();
    private boolean counting;
    private long readBefore;
    private long counted = -1;
    private Optional<String> failure = Optional.empty();
    private long mappingsLeft = -1;
    private int domainsLeft = -1;
    private @Nullable IommuCounters counters;
    private String behindSums = "";
    private String besideSums = "";

    private TwoDisks(RunFolder folder, GuestOptions options, BoardPlan board, boolean ours, Path behind, Path beside)
            throws IOException {
        this.ours = ours;
        this.behind = behind;
        this.beside = beside;
        int queues = options.processors();
        ReservedRegions reserved = options.platform().interrupts().reserved();
        List<DevicePlan> devices = List.of(
                new DevicePlan("rng", RNG, true, reserved, VirtioEntropy::new),
                new DevicePlan("disk", DISK_BEHIND, true, reserved,
                        () -> made(VirtioBlock.builder(behind).queues(queues).build())),
                new DevicePlan(BESIDE + "-disk", DISK_BESIDE, false, reserved,
                        () -> made(VirtioBlock.builder(beside).queues(queues).build())));
        machine = ServedMachine.serve(new MachinePlan("two disks", folder.path(""), board,
                MemoryPlan.of(options.memoryMebibytes()), IommuPlan.at(IOMMU), devices));
    }

    private static TwoDisks random(RunFolder folder, GuestOptions options, BoardPlan board) throws IOException {
        Path behind = folder.path(RunFolder.DISK);
        Path beside = folder.path(BESIDE);
        DiskFile.create(behind, REGION_MEBIBYTES, SEED);
        DiskFile.create(beside, REGION_MEBIBYTES, ~SEED);
        return new TwoDisks(folder, options, board, true, behind, beside);
    }

    private VirtioBlock made(VirtioBlock disk) {
        disks.add(disk);
        return disk;
    }

    /** Begins to count what the disks read for the guest, as if nothing had been counted yet. */
    void beginCounting() {
        counting = true;
        readBefore = bytesRead();
    }

    /** Ends counting. Nothing happens if that has been done already. */
    void endCounting() {
        if (counting) {
            counting = false;
            counted = bytesRead() - readBefore;
        }
    }

    private long bytesRead() {
        return disks.stream().mapToLong(disk -> disk.counters().bytesRead()).sum();
    }

    @Override
    public String kernelOptions() {
        return " disks=2";
    }

    @Override
    public void addTo(QemuCommand command, RunFolder folder) {
        QemuArguments arguments = new QemuArguments();
        machine.addTo(arguments);
        command.arguments(arguments);
    }

    @Override
    public void strayDma() {
        throw new IllegalStateException("this test has no stray DMA");
    }

    /** QEMU has ended; what the guest left in the disks' files is kept for the test, as their folder goes away. */
    @Override
    public List<String> report() {
        while (machine.connected() > 0) {
            Thread.onSpinWait();
        }
        failure = machine.failure();
        mappingsLeft = machine.iommu().liveMappings();
        domainsLeft = machine.iommu().liveDomains();
        counters = machine.iommu().counters();
        if (ours) {
            behindSums = sums(behind);
            besideSums = sums(beside);
        }
        return machine.report();
    }

    @Override
    public void close() throws IOException {
        machine.close();
    }

    /** The kernel found both disks as they were made, and what it wrote is in their files. */
    void assertServed(Booted booted) {
        assertEquals(said(booted, BEHIND_FUNCTION), behindSums, "the disk behind the IOMMU");
        assertEquals(said(booted, BESIDE_FUNCTION), besideSums, "the disk beside the IOMMU");
        assertNothingLeft();
    }

    /** Nothing happened that must not, and all is as before the guest came. */
    void assertNothingLeft() {
        assertEquals(Optional.empty(), failure);
        assertEquals(0, mappingsLeft, "mappings");
        assertEquals(0, domainsLeft, "domains");
    }

    /** While it was counted, the disks read no more than Linux asks for when it finds them. */
    void assertLittleCounted() {
        assertTrue(0 < counted && counted <= PARTITION_SCAN, "while the drivers were loaded the disks read " + counted
                + " bytes, which is more than Linux asks for to find partitions");
    }

    /** What the IOMMU has done. */
    IommuCounters counters() {
        return Objects.requireNonNull(counters, "no guest has ended");
    }

    private static String said(Booted booted, String function) {
        return booted.fact("disks/" + function + "/region") + " " + booted.fact("disks/" + function + "/written");
    }

    private static String sums(Path disk) {
        try {
            return DiskFile.md5(disk, 0, REGION_MEBIBYTES) + " "
                    + DiskFile.md5(disk, WRITTEN_AT_MEBIBYTE, WRITTEN_MEBIBYTES);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** Makes devices when a guest is run, and keeps them for the test. */
    static final class Maker implements GuestDevices.Server {

        private final @Nullable Path behind;
        private final @Nullable Path beside;
        private @Nullable TwoDisks made;

        /** Of disks that are made for the guest. */
        Maker() {
            behind = null;
            beside = null;
        }

        /** Of disks that are there, and stay. */
        Maker(Path behind, Path beside) {
            this.behind = behind;
            this.beside = beside;
        }

        @Override
        public GuestDevices serve(RunFolder folder, GuestOptions options, Qemu qemu) throws IOException {
            TwoDisks devices = behind == null || beside == null ? random(folder, options, qemu.board(options))
                    : new TwoDisks(folder, options, qemu.board(options), false, behind, beside);
            made = devices;
            return devices;
        }

        TwoDisks devices() {
            return Objects.requireNonNull(made, "no guest was booted");
        }
    }
}
