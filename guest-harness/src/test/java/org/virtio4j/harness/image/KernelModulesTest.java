// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.harness.options.UnusableGuestException;

class KernelModulesTest {

    @TempDir
    private Path folder;

    @Test
    void shouldPutModulesBehindThoseTheyNeed() throws IOException, UnusableGuestException {
        module("net/virtio_net.ko", "net_failover");
        module("net/net_failover.ko", "failover");
        module("net/failover.ko", "");
        module("iommu/virtio-iommu.ko", "");
        assertEquals(List.of("virtio_iommu.ko", "failover.ko", "net_failover.ko", "virtio_net.ko"),
                order("virtio_iommu", "virtio_net"));
    }

    @Test
    void shouldReadModulesOfBigEndianMachines() throws IOException, UnusableGuestException {
        Path file = folder.resolve("kernel/virtio_pci.ko");
        Files.createDirectories(folder.resolve("kernel"));
        Files.write(file, FakeModule.needing("virtio_pci_lib", ByteOrder.BIG_ENDIAN));
        module("virtio_pci_lib.ko", "");
        assertEquals(List.of("virtio_pci_lib.ko", "virtio_pci.ko"), order("virtio_pci"));
    }

    @Test
    void shouldTakeEachModuleOnce() throws IOException, UnusableGuestException {
        module("a.ko", "c");
        module("b.ko", "c,a");
        module("c.ko", "");
        assertEquals(List.of("c.ko", "a.ko", "b.ko"), order("a", "b", "c", "a"));
    }

    /** Files are named with one, dependencies with the other. */
    @Test
    void shouldNotTellDashFromUnderscore() throws IOException, UnusableGuestException {
        module("virtio-rng.ko", "rng_core");
        module("rng-core.ko", "");
        assertEquals(List.of("rng_core.ko", "virtio_rng.ko"), order("virtio_rng"));
    }

    @Test
    void shouldLeaveOutWhatIsBuiltIn() throws IOException, UnusableGuestException {
        module("virtio_blk.ko", "virtio_pci");
        Files.writeString(folder.resolve("modules.builtin"), "kernel/drivers/virtio/virtio_pci.ko\n");
        assertEquals(List.of("virtio_blk.ko"), order("virtio_pci", "virtio_blk"));
    }

    @Test
    void shouldEndWhenModulesNeedEachOther() throws IOException, UnusableGuestException {
        module("a.ko", "b");
        module("b.ko", "a");
        assertEquals(List.of("b.ko", "a.ko"), order("a"));
    }

    @Test
    void shouldSayWhichModuleIsMissing() throws IOException {
        module("a.ko", "b");
        UnusableGuestException failure = assertThrows(UnusableGuestException.class, () -> order("a"));
        assertTrue(String.valueOf(failure.getMessage()).startsWith("the kernel has no module b"),
                failure.getMessage());
    }

    @Test
    void shouldSayWhichModuleIsDamaged() throws IOException {
        module("a.ko", "");
        Path file = folder.resolve("kernel/a.ko");
        byte[] module = Files.readAllBytes(file);
        int unused = 24; // bytes at the end of the last section header
        for (int length = 0; length < module.length - unused; length++) {
            Files.write(file, Arrays.copyOf(module, length));
            UnusableGuestException failure = assertThrows(UnusableGuestException.class, () -> order("a"));
            assertTrue(String.valueOf(failure.getMessage()).startsWith(file + ": expected a"), failure.getMessage());
        }
    }

    private void module(String path, String depends) throws IOException {
        Path file = folder.resolve("kernel").resolve(path);
        Files.createDirectories(file.getParent());
        Files.write(file, FakeModule.needing(depends));
    }

    private List<String> order(String... names) throws UnusableGuestException {
        KernelModules modules = KernelModules.in(folder);
        return List.copyOf(modules.inOrder(List.of(names)).keySet());
    }
}
