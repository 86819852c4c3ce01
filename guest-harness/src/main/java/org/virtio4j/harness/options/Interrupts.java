// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import java.util.Arrays;
import java.util.Locale;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** What brings the interrupts of PCI functions to the processors of a guest. QEMU's board is chosen with it. */
public enum Interrupts {
    /** A PC's: messages to the local APICs. */
    APIC(Architecture.X86_64, "q35", 255, ReservedRegions.X86_MSI),
    /** Messages to a GICv3 with an interrupt translation service. */
    ITS(Architecture.ARM64, "virt,gic-version=3", 123, ReservedRegions.QEMU_VIRT_ITS),
    /** Messages to the frame of a GICv2. */
    GICV2M(Architecture.ARM64, "virt,gic-version=2", 8, ReservedRegions.QEMU_VIRT_GICV2M),
    /** Messages to incoming message controllers. */
    IMSIC(Architecture.RISCV64, "virt,aia=aplic-imsic", 512, ReservedRegions.NONE),
    /** No messages, but lines to a platform-level interrupt controller. */
    PLIC(Architecture.RISCV64, "virt", 512, ReservedRegions.NONE),
    /** A mainframe's adapters. No region is asked for there. */
    ADAPTER(Architecture.S390X, "s390-ccw-virtio", 248, ReservedRegions.NONE);

    private final Architecture architecture;
    private final String machine;
    private final int mostProcessors;
    private final ReservedRegions reserved;

    Interrupts(Architecture architecture, String machine, int mostProcessors, ReservedRegions reserved) {
        this.architecture = architecture;
        this.machine = machine;
        this.mostProcessors = mostProcessors;
        this.reserved = reserved;
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
        return reserved;
    }

    /** The name by which the user calls them. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
