// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import java.util.Arrays;
import java.util.Locale;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** What brings the interrupts of PCI functions to the processors of a guest. QEMU's board is chosen with it. */
public enum Interrupts {
    /** A PC's: messages to the local APICs. */
    APIC(Architecture.X86_64, "q35", 255),
    /** Messages to a GICv3 with an interrupt translation service. */
    ITS(Architecture.ARM64, "virt,gic-version=3", 123),
    /** Messages to the frame of a GICv2. */
    GICV2M(Architecture.ARM64, "virt,gic-version=2", 8),
    /** Messages to incoming message controllers. */
    IMSIC(Architecture.RISCV64, "virt,aia=aplic-imsic", 512),
    /** No messages, but lines to a platform-level interrupt controller. */
    PLIC(Architecture.RISCV64, "virt", 512),
    /** A mainframe's adapters. No region is asked for there. */
    ADAPTER(Architecture.S390X, "s390-ccw-virtio", 248);

    private final Architecture architecture;
    private final String machine;
    private final int mostProcessors;

    Interrupts(Architecture architecture, String machine, int mostProcessors) {
        this.architecture = architecture;
        this.machine = machine;
        this.mostProcessors = mostProcessors;
    }

    /**
     * What a guest has where nobody chooses.
     *
     * @param architecture its kind
     * @return the first of those that it can have
     */
    static Interrupts of(Architecture architecture) {
        return Arrays.stream(values()).filter(interrupts -> interrupts.architecture == architecture).findFirst()
                .orElseThrow();
    }

    /**
     * Whose they are.
     *
     * @return the only architecture that has them
     */
    public Architecture architecture() {
        return architecture;
    }

    /**
     * The board that has them.
     *
     * @return a value of QEMU's option {@code -machine}
     */
    public String machine() {
        return machine;
    }

    /**
     * How many processors QEMU's board can have.
     *
     * @return a count
     */
    public int mostProcessors() {
        return mostProcessors;
    }

    /**
     * The doorbell of its messages, which a driver must be told of where messages are not translated.
     *
     * @return none where nothing is translated
     */
    public ReservedRegions reserved() {
        return switch (this) {
            case APIC -> ReservedRegions.X86_MSI;
            case ITS -> ReservedRegions.QEMU_VIRT_ITS;
            case GICV2M -> ReservedRegions.QEMU_VIRT_GICV2M;
            case IMSIC, PLIC, ADAPTER -> ReservedRegions.NONE;
        };
    }

    /** The name by which the user calls them. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
