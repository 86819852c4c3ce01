// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.NotFetchedException;

/** What a machine begins with when QEMU loads no Linux for it. */
public enum Firmware {
    /** A PC's, which comes with QEMU. It drives disks through the interrupt 13h of the programs that it boots. */
    SEABIOS(null),
    /** A PC's, for programs that follow UEFI. */
    EDK2("usr/share/ovmf/OVMF.fd"),
    /** A PC's, with commands. */
    U_BOOT_PC("usr/lib/u-boot/qemu-x86_64/u-boot.rom"),
    /** The same for arm64. */
    U_BOOT_ARM64("usr/lib/u-boot/qemu_arm64/u-boot.bin");

    private static final String PART = "firmware";

    private final @Nullable String file;

    Firmware(@Nullable String file) {
        this.file = file;
    }

    /** The machine that it is for. */
    Architecture architecture() {
        return this == U_BOOT_ARM64 ? Architecture.ARM64 : Architecture.X86_64;
    }

    /** The file that QEMU is told of, fetched if it is missing; null if QEMU needs none. */
    @Nullable Path image(Packages packages) throws NotFetchedException {
        return file == null ? null : packages.part(PART).resolve(file);
    }

    /**
     * The shell of UEFI, as a program.
     *
     * @param home the project's folder, where the script is that fetches
     * @return its file
     * @throws NotFetchedException if it is not there and cannot be fetched
     */
    public static Path uefiShell(Path home) throws NotFetchedException {
        return new Packages(home, () -> false).part(PART).resolve("usr/share/efi-shell-x64/shellx64.efi");
    }
}
