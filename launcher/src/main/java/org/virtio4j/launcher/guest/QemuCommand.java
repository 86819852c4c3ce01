// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.machine.PciAddress;

/**
 * The command line of a QEMU with one guest: a PC (q35) without anything that is not asked for, emulated without help
 * of the processor, so that it runs on every machine.
 */
final class QemuCommand {

    private static final String MEMORY = "memory";

    private final List<String> words;

    QemuCommand(Qemu qemu) {
        words = new ArrayList<>(qemu.command());
        add("-machine", "q35,memory-backend=" + MEMORY, "-accel", "tcg", "-nodefaults", "-no-user-config",
                "-display", "none");
    }

    QemuCommand processors(int count) {
        return add("-smp", Integer.toString(count));
    }

    /** RAM in memory that QEMU hands to other processes as a file descriptor. */
    QemuCommand memory(int mebibytes) {
        return add("-m", mebibytes + "M",
                "-object", "memory-backend-memfd,id=" + MEMORY + ",size=" + mebibytes + "M,share=on");
    }

    /** RAM in a file that other processes can open by its name. */
    QemuCommand memory(int mebibytes, Path file) {
        return add("-m", mebibytes + "M", "-object", "memory-backend-file,id=" + MEMORY + ",size=" + mebibytes
                + "M,share=on,mem-path=" + value(file));
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

    /** The table that names an IOMMU's endpoints; QEMU puts the header before the bytes of the file. */
    QemuCommand viot(Path body) {
        return add("-acpitable", "sig=VIOT,rev=0,oem_id=VIRTIO,oem_table_id=VIRTIO4J,data=" + value(body));
    }

    /** A function that another process serves. */
    QemuCommand served(PciAddress address, Path socket) {
        return add("-device", "{\"driver\":\"vfio-user-pci\",\"addr\":\"" + slot(address)
                + "\",\"socket\":{\"type\":\"unix\",\"path\":\"" + json(socket) + "\"}}");
    }

    /** QEMU's own IOMMU. It must come before its endpoints; QEMU makes the table itself. */
    QemuCommand ownIommu(PciAddress address) {
        return add("-device", "virtio-iommu-pci,addr=" + slot(address));
    }

    /** QEMU's own entropy source, behind its IOMMU. */
    QemuCommand ownRng(PciAddress address) {
        return add("-device", "virtio-rng-pci,iommu_platform=on,disable-legacy=on,addr=" + slot(address));
    }

    /** QEMU's own disk, behind its IOMMU. */
    QemuCommand ownDisk(PciAddress address, Path file) {
        return add("-blockdev", "driver=file,node-name=disk,filename=" + value(file),
                "-device", "virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on,addr=" + slot(address));
    }

    /** Program and arguments. */
    List<String> words() {
        return List.copyOf(words);
    }

    private QemuCommand add(String... more) {
        words.addAll(List.of(more));
        return this;
    }

    /** Within QEMU's lists of NAME=VALUE a comma stands doubled. */
    private static String value(Path file) {
        return file.toString().replace(",", ",,");
    }

    private static String json(Path file) {
        return file.toString().replace("\\", "\\\\").replace("\"", "\\\"");
    }

    /** On QEMU's root bus, which is bus 0. */
    private static String slot(PciAddress address) {
        if (address.bus() != 0) {
            throw new IllegalArgumentException("address=" + address + ": must be on bus 00");
        }
        return Integer.toHexString(address.device()) + "." + address.function();
    }
}
