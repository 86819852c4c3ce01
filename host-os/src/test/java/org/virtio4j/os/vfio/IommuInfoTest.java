// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeFailureException;

/** What a container says of its IOMMU, from the bytes as Linux lays them out. */
class IommuInfoTest {

    private static final int BYTES = 128;
    private static final int FLAG_PAGES = 1;
    private static final int FLAG_CAPABILITIES = 2;

    private final MemorySegment info = MemorySegment.ofArray(new long[BYTES / Long.BYTES]);

    @Test
    void shouldReadPageSizesRangesAndRoom() {
        head(FLAG_PAGES | FLAG_CAPABILITIES, 0x4020_1000L, 24);
        capability(24, 3, 40);
        info.set(ValueLayout.JAVA_INT_UNALIGNED, 32, 65_535);
        capability(40, 1, 88);
        info.set(ValueLayout.JAVA_INT_UNALIGNED, 48, 2);
        range(56, 0, 0xfedf_ffffL);
        range(72, 0xfef0_0000L, 0xffff_ffff_ffffL);
        capability(88, 2, 0);
        assertEquals(new IommuInfo(0x4020_1000L, List.of(new IommuInfo.Range(0, 0xfedf_ffffL),
                new IommuInfo.Range(0xfef0_0000L, 0xffff_ffff_ffffL)), 65_535), IommuInfo.of(info));
    }

    @Test
    void shouldKnowNothingThatIsNotSaid() {
        head(0, -1, 24);
        assertEquals(new IommuInfo(4096, List.of(), -1), IommuInfo.of(info));
        assertEquals(new IommuInfo(4096, List.of(), -1), IommuInfo.of(info.asSlice(0, 20)));
    }

    @Test
    void shouldEndChainThatGoesBackOrOut() {
        head(FLAG_CAPABILITIES, 0, 24);
        capability(24, 2, 24);
        assertEquals(new IommuInfo(4096, List.of(), -1), IommuInfo.of(info));
        capability(24, 3, 8);
        info.set(ValueLayout.JAVA_INT_UNALIGNED, 32, -1);
        assertEquals(0xffff_ffffL, IommuInfo.of(info).mappingsAvailable());
        capability(24, 2, BYTES - 4);
        assertEquals(new IommuInfo(4096, List.of(), -1), IommuInfo.of(info));
    }

    @Test
    void shouldNotReadRangesBehindTheEnd() {
        head(FLAG_CAPABILITIES, 0, 24);
        capability(24, 1, 0);
        info.set(ValueLayout.JAVA_INT_UNALIGNED, 32, Integer.MAX_VALUE);
        assertEquals(5, IommuInfo.of(info).ranges().size());
    }

    @Test
    void shouldSayByNameWhyThereIsNoContainer() {
        Assumptions.assumeFalse(Files.exists(Path.of("/dev/vfio/vfio")));
        NativeFailureException thrown = assertThrows(NativeFailureException.class, ContainerFile::open);
        assertEquals(Errno.ENOENT, thrown.errno());
        assertEquals("open of /dev/vfio/vfio: ENOENT (no such file or directory)", thrown.getMessage());
    }

    private void head(int flags, long pageSizes, int capabilities) {
        info.set(ValueLayout.JAVA_INT_UNALIGNED, 4, flags);
        info.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, pageSizes);
        info.set(ValueLayout.JAVA_INT_UNALIGNED, 16, capabilities);
    }

    private void capability(long at, int id, int next) {
        info.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) id);
        info.set(ValueLayout.JAVA_INT_UNALIGNED, at + 4, next);
    }

    private void range(long at, long start, long end) {
        info.set(ValueLayout.JAVA_LONG_UNALIGNED, at, start);
        info.set(ValueLayout.JAVA_LONG_UNALIGNED, at + 8, end);
    }
}
