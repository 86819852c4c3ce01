// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.GuestMemory;

/** A disk and a source of entropy belong to one window or function. */
class SoleOwnerTest {

    @ParameterizedTest
    @EnumSource(names = {"MMIO", "PCI"})
    void shouldRefuseASecondWindowOrFunction(GuestKind second, @TempDir Path folder) throws IOException {
        Path image = Files.write(folder.resolve("disk.img"), new byte[4096]);
        try (GuestMemory memory = new GuestMemory(); VirtioBlock disk = VirtioBlock.builder(image).polled().build()) {
            DmaSpace dma = DmaSpace.identity(memory);
            for (VirtioDevice device : List.of(disk, new VirtioEntropy())) {
                VirtioMmioDevice first = VirtioMmioDevice.of(device, dma, level -> { });
                assertThrows(IllegalStateException.class, () -> second.connect(device, dma, () -> { }));
                first.close();
                assertEquals(0, second.connect(device, dma, () -> { }).driver().status());
            }
        }
    }
}
