// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;

/** DMA as a device does it, inside a section that the caller has opened. */
final class Dma {

    private Dma() {
    }

    /** The device reads these bytes and finds one value throughout. */
    static void assertReads(DmaHandle handle, long iova, int length, int value) {
        byte[] expected = new byte[length];
        Arrays.fill(expected, (byte) value);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(length);
            assertEquals(DmaResult.OK, handle.read(iova, copy, 0, length));
            assertArrayEquals(expected, copy.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /** The device writes one value throughout. */
    static DmaResult write(DmaHandle handle, long iova, int length, int value) {
        try (Arena arena = Arena.ofConfined()) {
            return handle.write(iova, arena.allocate(length).fill((byte) value), 0, length);
        }
    }
}
