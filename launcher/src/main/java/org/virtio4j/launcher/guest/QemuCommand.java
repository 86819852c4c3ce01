// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.launcher.serve.QemuArguments;
import org.virtio4j.machine.PciAddress;

/**
 * The command line of a QEMU with one guest: a machine without anything that is not asked for, emulated without help of
 * the processor, so that it runs on every machine.
 */
public final class QemuCommand {

    private final List<String> words;

    QemuCommand(Qemu qemu, Architecture architecture) {
        words = new ArrayList<>(qemu.command());
        arguments(new QemuArguments().machine(architecture.machine()));
        add("-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none");
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

    /** A kernel that QEMU loads itself, so that the guest needs no boot loader. */
    QemuCommand boot(Path kernel, Path initramfs, String options) {
        return add("-kernel", kernel.toString(), "-initrd", initramfs.toString(), "-append", options);
    }

    /** The guest's serial port is QEMU's standard output; nothing is typed. */
    QemuCommand console() {
        return add("-serial", "stdio");
    }

    /** The guest's serial port is the terminal, and so is QEMU's monitor: Ctrl-A C changes over, Ctrl-A X ends all. */
    QemuCommand terminal() {
        return add("-serial", "mon:stdio");
    }

    /** When the guest resets the machine, as Linux does when it panics, QEMU ends. */
    QemuCommand endOnReset() {
        return add("-no-reboot");
    }

    /** QEMU's own IOMMU. It must come before its endpoints; QEMU makes the table itself. */
    QemuCommand ownIommu(PciAddress address) {
        return add("-device", "virtio-iommu-pci,addr=" + QemuArguments.slot(address));
    }

    /** QEMU's own entropy source, behind its IOMMU. */
    QemuCommand ownRng(PciAddress address) {
        return add("-device", "virtio-rng-pci,iommu_platform=on,disable-legacy=on,addr=" + QemuArguments.slot(address));
    }

    /** QEMU's own disk, behind its IOMMU. */
    QemuCommand ownDisk(PciAddress address, Path file) {
        return add("-blockdev", "driver=file,node-name=disk,filename=" + QemuArguments.value(file),
                "-device", "virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on,addr="
                        + QemuArguments.slot(address));
    }

    /** Program and arguments. */
    List<String> words() {
        return List.copyOf(words);
    }

    private QemuCommand add(String... more) {
        words.addAll(List.of(more));
        return this;
    }
}
