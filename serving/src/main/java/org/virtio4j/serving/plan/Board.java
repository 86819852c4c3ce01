// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import org.virtio4j.iommu.embedder.ReservedRegions;

/** A machine of QEMU, as far as its guest sees IOMMU and interrupt messages. */
public enum Board {

    /** A PC with PCI Express. Its guest finds the IOMMU in an ACPI table. */
    Q35("q35", false, "", "qemu-system-x86_64"),

    /**
     * The arm64 board {@code virt} whose interrupt messages go to an ITS. Its guest finds the IOMMU in a device tree.
     */
    VIRT_ITS("virt,gic-version=3", true, "arm,gic-v3-its", "qemu-system-aarch64"),

    /** The arm64 board {@code virt} with a GICv2m, with at most 8 processors. Otherwise as {@link #VIRT_ITS}. */
    VIRT_GICV2M("virt,gic-version=2", true, "arm,gic-v2m-frame", "qemu-system-aarch64");

    private final String machine;
    private final boolean tree;
    private final String messageController;
    private final String program;

    Board(String machine, boolean tree, String messageController, String program) {
        this.machine = machine;
        this.tree = tree;
        this.messageController = messageController;
        this.program = program;
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
     * Whether its guest finds the IOMMU in a device tree, and not in an ACPI table.
     *
     * @return false for a PC
     */
    public boolean hasTree() {
        return tree;
    }

    /**
     * The file in the folder of a machine that tells its guest who is behind the IOMMU.
     *
     * @return a name without a folder
     */
    public String topologyFile() {
        return tree ? "tree" : "viot";
    }

    /**
     * Where the interrupt messages of its functions go, which no driver may map.
     *
     * @return one region
     */
    public ReservedRegions doorbells() {
        return switch (this) {
            case Q35 -> ReservedRegions.X86_MSI;
            case VIRT_ITS -> ReservedRegions.QEMU_VIRT_ITS;
            case VIRT_GICV2M -> ReservedRegions.QEMU_VIRT_GICV2M;
        };
    }

    /**
     * How its device tree names what turns messages into interrupts.
     *
     * @return a value of the property {@code compatible}; empty if it has no device tree
     */
    public String messageController() {
        return messageController;
    }

    /**
     * The QEMU that emulates it.
     *
     * @return the name of the program
     */
    public String program() {
        return program;
    }
}
