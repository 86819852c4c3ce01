// SPDX-License-Identifier: Apache-2.0
package org.virtio4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.ReservedRegions;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.wire.MmioRegister;

/** The embedding example of the README, compiled and run, and compared with the README word for word. */
class EmbeddingTest {

    private static final Path HOME = Path.of(System.getProperty("virtio4j.home", ".."));
    private static final String BEGIN = "// README: begin";
    private static final String END = "// README: end";

    @Test
    void shouldFindDeviceByItsMagicValue() {
        assertEquals(MmioRegister.MAGIC, embed(level -> { }, MmioRegister.MAGIC_VALUE, 4));
    }

    @Test
    void shouldBeWhatReadmeShows() throws IOException {
        String source = Files.readString(HOME.resolve("src/test/java/org/virtio4j/EmbeddingTest.java"));
        int begin = source.indexOf(BEGIN, source.indexOf("long embed("));
        String example = source.substring(source.indexOf('\n', begin) + 1, source.indexOf(END, begin))
                .lines().map(line -> line.length() > 8 ? line.substring(8) : "").collect(Collectors.joining("\n"));
        assertTrue(Files.readString(HOME.resolve("README.md")).contains(example.stripTrailing()),
                "README.md must contain:\n" + example);
    }

    private static long embed(InterruptLine interruptLine, long offset, int width) {
        // README: begin
        try (GuestMemory memory = GuestMemory.anonymous(0x0, 1L << 30)) {
            VirtioIommu iommu = VirtioIommu.builder()
                    .endpoint(0x48)                                          // 00:09.0 in the guest's topology
                    .reserved(ReservedRegions.X86_MSI)
                    .build();
            VirtioMmioDevice window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), interruptLine);

            DmaSpace diskDma = DmaSpace.of(memory, iommu.translator(0x48));  // a disk's DMA goes through the IOMMU
            DmaHandle dma = diskDma.open("disk, queue 0");

            // from the hypervisor's exit handler, on the virtual CPU's thread:
            long value = window.read(offset, width);
            window.write(offset, width, value);    // a doorbell is answered before this returns, or by who serves now
            // README: end
            dma.close();
            return value;
        }
    }
}
