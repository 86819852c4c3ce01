// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.embedder.ReservedRegions;

class PlatformTest {

    private static final Platform ARM64 = Platform.of(Architecture.ARM64);

    @Test
    void shouldChooseBoardAndDoorbellByInterrupts() {
        assertEquals("virt,gic-version=3", ARM64.interrupts().machine());
        assertEquals(ReservedRegions.QEMU_VIRT_ITS, ARM64.interrupts().reserved());
        Platform older = ARM64.withInterrupts(Interrupts.GICV2M);
        assertEquals("virt,gic-version=2", older.interrupts().machine());
        assertEquals(ReservedRegions.QEMU_VIRT_GICV2M, older.interrupts().reserved());
        assertEquals("q35", Platform.of(Architecture.X86_64).interrupts().machine());
        assertEquals(ReservedRegions.X86_MSI, Platform.of(Architecture.X86_64).interrupts().reserved());
    }

    @Test
    void shouldChooseKernelByArchitectureAndPages() {
        assertEquals("linux", Platform.of(Architecture.X86_64).linuxPackages());
        assertEquals("linux-arm64", ARM64.linuxPackages());
        assertEquals("linux-arm64-16k", ARM64.withPages(16).linuxPackages());
        assertEquals("linux-riscv64", Platform.of(Architecture.RISCV64).linuxPackages());
    }

    @Test
    void shouldRefuseWhatDoesNotGoTogether() {
        assertEquals("interrupts=plic: must be of arm64",
                assertThrows(IllegalArgumentException.class, () -> ARM64.withInterrupts(Interrupts.PLIC)).getMessage());
        assertEquals("pageKibibytes=64: must be 4, or 16 on arm64",
                assertThrows(IllegalArgumentException.class, () -> ARM64.withPages(64)).getMessage());
        Platform pc = Platform.of(Architecture.X86_64);
        assertEquals("pageKibibytes=16: must be 4, or 16 on arm64",
                assertThrows(IllegalArgumentException.class, () -> pc.withPages(16)).getMessage());
    }
}
