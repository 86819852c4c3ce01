// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import org.jspecify.annotations.Nullable;

/** A kind of machine that a guest can be, whatever this machine is. */
public enum Architecture {
    /** A PC. */
    X86_64("qemu-system-x86_64", "q35", null, "ttyS0", "qemu", "linux"),
    /** A board of QEMU's with a device tree. Its Linux has pages of 16 KiB, which not every such processor can do. */
    ARM64("qemu-system-aarch64", "virt", "cortex-a76", "ttyAMA0", "qemu-arm", "linux-arm64"),
    /**
     * A mainframe: its bytes are in the other order, and QEMU has an IOMMU of its own before each function. Linux has
     * no driver for a virtio-iommu there.
     */
    S390X("qemu-system-s390x", "s390-ccw-virtio", null, "ttysclp0", "qemu-s390x", "linux-s390x");

    private final String program;
    private final String machine;
    private final @Nullable String processor;
    private final String console;
    private final String qemuPackages;
    private final String linuxPackages;

    Architecture(String program, String machine, @Nullable String processor, String console, String qemuPackages,
            String linuxPackages) {
        this.program = program;
        this.machine = machine;
        this.processor = processor;
        this.console = console;
        this.qemuPackages = qemuPackages;
        this.linuxPackages = linuxPackages;
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
     * What QEMU calls it.
     *
     * @return a value of QEMU's option {@code -machine}
     */
    public String machine() {
        return machine;
    }

    /**
     * What QEMU calls its processors.
     *
     * @return a value of QEMU's option {@code -cpu}, or null where QEMU's own choice is right
     */
    public @Nullable String processor() {
        return processor;
    }

    /** What Linux calls its first serial port. */
    String console() {
        return console;
    }

    /**
     * What {@code build/fetch-guest} calls the QEMU.
     *
     * @return the name of a part
     */
    public String qemuPackages() {
        return qemuPackages;
    }

    /**
     * What {@code build/fetch-guest} calls the guest's kernel and tools.
     *
     * @return the name of a part
     */
    public String linuxPackages() {
        return linuxPackages;
    }
}
