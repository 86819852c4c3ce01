// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;

class QemuCommandTest {

    private static final Qemu QEMU = new Qemu(List.of("ld.so", "qemu"), 11, 1);

    @Test
    void shouldBeginWithProgramAndMachine() {
        assertEquals(List.of("ld.so", "qemu", "-machine", "q35,memory-backend=memory", "-accel", "tcg",
                "-nodefaults", "-no-user-config", "-display", "none"),
                new QemuCommand(QEMU, Platform.of(Architecture.X86_64)).words());
    }

    @Test
    void shouldNameProcessorWhereTheDefaultWouldNotDo() {
        QemuArguments tree = new QemuArguments().tree(Path.of("/tree"));
        assertEquals(List.of("ld.so", "qemu", "-machine", "virt,gic-version=3,memory-backend=memory",
                "-cpu", "cortex-a76", "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none",
                "-dtb", "/tree"),
                new QemuCommand(QEMU, Platform.of(Architecture.ARM64)).arguments(tree).words());
    }

    @Test
    void shouldPutOwnDevicesBehindOwnIommu() {
        List<String> words = added(new QemuCommand(QEMU, Platform.of(Architecture.X86_64))
                .ownIommu(PciAddress.of("00:08.0"))
                .ownRng(PciAddress.of("00:09.0")).ownDisk(PciAddress.of("00:0a.0"), Path.of("/disk")));
        assertEquals(List.of("-device", "virtio-iommu-pci,addr=8.0",
                "-device", "virtio-rng-pci,iommu_platform=on,disable-legacy=on,addr=9.0",
                "-blockdev", "driver=file,node-name=disk,filename=/disk",
                "-device", "virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on,addr=a.0"), words);
    }

    @Test
    void shouldPutTheRestAsQemuExpectsIt() {
        List<String> words = added(new QemuCommand(QEMU, Platform.of(Architecture.X86_64)).processors(2)
                .boot(Path.of("/vmlinuz"), Path.of("/initramfs"), "quiet work=boot")
                .arguments(new QemuArguments().viot(Path.of("/viot"))).endOnReset().console());
        assertEquals(List.of("-smp", "2", "-kernel", "/vmlinuz", "-initrd", "/initramfs", "-append",
                "quiet work=boot", "-acpitable", "sig=VIOT,rev=0,oem_id=VIRTIO,oem_table_id=VIRTIO4J,data=/viot",
                "-no-reboot", "-serial", "stdio"), words);
    }

    @Test
    void shouldRefuseOtherBuses() {
        QemuCommand command = new QemuCommand(QEMU, Platform.of(Architecture.X86_64));
        PciAddress elsewhere = PciAddress.of("01:08.0");
        assertThrows(IllegalArgumentException.class, () -> command.ownIommu(elsewhere));
    }

    @Test
    void shouldKnowSinceWhenQemuSpeaksVfioUser() {
        assertFalse(new Qemu(List.of(), 10, 0).speaksVfioUser());
        assertTrue(new Qemu(List.of(), 10, 1).speaksVfioUser());
        assertTrue(new Qemu(List.of(), 11, 0).speaksVfioUser());
        assertFalse(new Qemu(List.of(), 9, 2).speaksVfioUser());
    }

    /** What was added to the command of a machine alone. */
    private static List<String> added(QemuCommand command) {
        List<String> all = command.words();
        List<String> machine = new QemuCommand(QEMU, Platform.of(Architecture.X86_64)).words();
        assertEquals(0, Collections.indexOfSubList(all, machine));
        return all.subList(machine.size(), all.size());
    }
}
