// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A kind of processor that a guest has, whatever this machine has. */
public enum Architecture {
    /** A PC. */
    X86_64("qemu-system-x86_64", null, "ttyS0", "x86_64-linux-gnu", "qemu"),
    /** A board of QEMU with a device tree. Not every such processor can do pages of 16 KiB; this one can. */
    ARM64("qemu-system-aarch64", "cortex-a76", "ttyAMA0", "aarch64-linux-gnu", "qemu-arm"),
    /** A board of QEMU with a device tree. Its Linux cannot be built with a driver for a virtio-iommu. */
    RISCV64("qemu-system-riscv64", null, "ttyS0", "riscv64-linux-gnu", "qemu-riscv"),
    /**
     * A mainframe: its bytes are in the other order, and QEMU has an IOMMU of its own before each function. Linux has
     * no driver for a virtio-iommu there.
     */
    S390X("qemu-system-s390x", null, "ttysclp0", "s390x-linux-gnu", "qemu-s390x");

    private final String program;
    private final @Nullable String processor;
    private final String console;
    private final String libraries;
    private final String qemuPackages;

    Architecture(String program, @Nullable String processor, String console, String libraries, String qemuPackages) {
        this.program = program;
        this.processor = processor;
        this.console = console;
        this.libraries = libraries;
        this.qemuPackages = qemuPackages;
    }

    /**
     * The QEMU that emulates it.
     *
     * @return the name of the program
     */
    public String program() {
        return program;
    }

    /**
     * What QEMU calls its processors.
     *
     * @return a value of QEMU's option {@code -cpu}, or null where QEMU's own choice is right
     */
    public @Nullable String processor() {
        return processor;
    }

    /**
     * How many processors a guest has where nobody chooses. On arm64 those that wait for a lock get it in turn. Where
     * the host has none to spare for each of them, the next in turn often is one that does not run, and with two the
     * workload {@link Workload#VERIFY} takes several times as long as with one.
     */
    int processors() {
        return this == ARM64 ? 1 : 2;
    }

    /** What Linux calls its first serial port. */
    String console() {
        return console;
    }

    /**
     * Where Debian's packages for it have their libraries.
     *
     * @return the name of a folder in {@code usr/lib}
     */
    public String libraries() {
        return libraries;
    }

    /**
     * What loads a program's libraries there.
     *
     * @return the name of a file
     */
    public String loader() {
        return switch (this) {
            case X86_64 -> "ld-linux-x86-64.so.2";
            case ARM64 -> "ld-linux-aarch64.so.1";
            case RISCV64 -> "ld-linux-riscv64-lp64d.so.1";
            case S390X -> "ld64.so.1";
        };
    }

    /**
     * Whether its Linux can drive a virtio-iommu. Without the driver devices use physical addresses.
     *
     * @return whether DMA is translated
     */
    public boolean drivesIommu() {
        return this == X86_64 || this == ARM64;
    }

    /**
     * What {@code build/fetch-guest} calls the QEMU.
     *
     * @return the name of a part
     */
    public String qemuPackages() {
        return qemuPackages;
    }

    /** The name by which the user calls it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
