// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;

/**
 * The command line of a QEMU with one guest: a machine without anything that is not asked for, emulated without help of
 * the processor, so that it runs on every machine.
 */
public final class QemuCommand {

    private final List<String> words;

    QemuCommand(Qemu qemu, Platform platform) {
        words = new ArrayList<>(qemu.command());
        arguments(new QemuArguments().machine(platform.interrupts().machine()));
        String processor = platform.architecture().processor();
        if (processor != null) {
            add("-cpu", processor);
        }
        add("-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none");
    }

    /**
     * A machine with memory and processors.
     *
     * @param qemu the program
     * @param options what kind of guest it is for
     * @param folder for the file that is the RAM, if it is one
     * @return a command line
     */
    public static QemuCommand of(Qemu qemu, GuestOptions options, RunFolder folder) {
        QemuCommand command = new QemuCommand(qemu, options.platform()).processors(options.processors());
        int mebibytes = options.memoryMebibytes();
        return command.arguments(options.memoryByName()
                ? new QemuArguments().memory(mebibytes, folder.path(RunFolder.MEMORY))
                : new QemuArguments().memory(mebibytes));
    }

    QemuCommand processors(int count) {
        return add("-smp", Integer.toString(count));
    }

    /**
     * What has to do with memory, and with functions that other processes serve.
     *
     * @param arguments to be added
     * @return this
     */
    public QemuCommand arguments(QemuArguments arguments) {
        words.addAll(arguments.words());
        return this;
    }

    /**
     * A kernel that QEMU loads itself, so that the guest needs no boot loader.
     *
     * @param kernel the file to boot
     * @param initramfs the archive of its first file system
     * @param options its command line
     * @return this
     */
    public QemuCommand boot(Path kernel, Path initramfs, String options) {
        return add("-kernel", kernel.toString(), "-initrd", initramfs.toString(), "-append", options);
    }

    /**
     * A program that the machine begins with.
     *
     * @param image its file
     * @return this
     */
    public QemuCommand firmware(Path image) {
        return add("-bios", image.toString());
    }

    /**
     * The guest's serial port is QEMU's standard output, and input if there is any.
     *
     * @return this
     */
    public QemuCommand console() {
        return add("-serial", "stdio");
    }

    /**
     * The guest's serial port is the terminal, and so is QEMU's monitor: Ctrl-A C changes over, Ctrl-A X ends all.
     *
     * @return this
     */
    public QemuCommand terminal() {
        return add("-serial", "mon:stdio");
    }

    /**
     * QEMU takes commands of QMP.
     *
     * @param socket where; QEMU makes it
     * @return this
     */
    public QemuCommand qmp(Path socket) {
        return add("-qmp", "unix:" + QemuArguments.value(socket) + ",server=on,wait=off");
    }

    /**
     * When the guest resets the machine, as Linux does when it panics, QEMU ends.
     *
     * @return this
     */
    public QemuCommand endOnReset() {
        return add("-no-reboot");
    }

    /**
     * QEMU's own IOMMU. It must come before its endpoints; QEMU makes the table itself.
     *
     * @param address where it lies
     * @return this
     */
    public QemuCommand ownIommu(PciAddress address) {
        return add("-device", "virtio-iommu-pci,addr=" + QemuArguments.slot(address));
    }

    /**
     * QEMU's own entropy source, behind its IOMMU.
     *
     * @param address where it lies
     * @return this
     */
    public QemuCommand ownRng(PciAddress address) {
        return add("-device", "virtio-rng-pci,iommu_platform=on,disable-legacy=on,addr=" + QemuArguments.slot(address));
    }

    /**
     * QEMU's own disk, behind its IOMMU.
     *
     * @param address where it lies
     * @param file what it holds
     * @return this
     */
    public QemuCommand ownDisk(PciAddress address, Path file) {
        return add("-blockdev", "driver=file,node-name=disk,filename=" + QemuArguments.value(file),
                "-device", "virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on,addr="
                        + QemuArguments.slot(address));
    }

    /**
     * The IOMMU of Intel's chip sets before all functions of PCI, for a guest that is a host itself. It must come
     * before them.
     *
     * @return this
     */
    public QemuCommand intelIommu() {
        return add("-machine", "kernel-irqchip=split", "-device", "intel-iommu");
    }

    /**
     * QEMU's device for lessons: registers at BAR 0 have it copy up to 4096 bytes by DMA, into a buffer and out of it.
     *
     * @param address where it lies
     * @return this
     */
    public QemuCommand lesson(PciAddress address) {
        return add("-device", "edu,dma_mask=0xffffffff,addr=" + QemuArguments.slot(address));
    }

    /**
     * Program and arguments.
     *
     * @return words without quotes
     */
    public List<String> words() {
        return List.copyOf(words);
    }

    private QemuCommand add(String... more) {
        words.addAll(List.of(more));
        return this;
    }
}
