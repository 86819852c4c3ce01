// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.wire.iommu.RequestType;

/**
 * QEMU's tools drive the disk with libblkio's driver, in the guest's user space, with memory that they map by VFIO. The
 * disk has in it what their commands say.
 */
@GuestScenario
class UserSpaceDiskTest {

    private static final int KIBIBYTE = 1 << 10;
    private static final int MEBIBYTE = 1 << 20;
    /** Of the workload's requests of 4 KiB each, half of which write. */
    private static final int WRITES = 2000;
    private static final int PROGRAMS = 3;
    /** The domains that Linux makes for its own drivers of disk and entropy source. */
    private static final int KERNELS = 2;

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @TempDir
    private Path folder;

    @Test
    void shouldServeAForeignDriver() throws IOException, NotFetchedException, UnusableGuestException {
        Path disk = folder.resolve("behind");
        Path beside = folder.resolve("beside");
        DiskFile.create(disk, 16, 1);
        DiskFile.create(beside, 1, 2);
        TwoDisks.Maker maker = new TwoDisks.Maker(disk, beside);
        Booted booted = guest.boot(Workload.BLKIO, null, maker);
        booted.assertDone();
        assertEquals("D3hot", booted.fact("power/0000:00:0a.0/idle"));
        assertEquals(List.of(), booted.faults());
        assertWritten(disk);
        assertTranslated(maker.devices().counters());
        maker.devices().assertNothingLeft();
    }

    private static void assertWritten(Path disk) throws IOException {
        assertFilled(disk, 0, 1000 * KIBIBYTE, 0x5a);
        assertFilled(disk, 1000 * KIBIBYTE, 1012 * KIBIBYTE, 0xa5);
        assertFilled(disk, 1012 * KIBIBYTE, 2 * MEBIBYTE, 0x5a);
        assertFilled(disk, 2 * MEBIBYTE, 3 * MEBIBYTE, 0);
        assertFilled(disk, 3 * MEBIBYTE, 4 * MEBIBYTE, 0x5a);
        assertFilled(disk, 4 * MEBIBYTE, 5 * MEBIBYTE, 0); // discarded
        assertFilled(disk, 5 * MEBIBYTE, 8 * MEBIBYTE, 0x5a);
        assertFilled(disk, 16 * MEBIBYTE, 16 * MEBIBYTE + WRITES * 4 * KIBIBYTE, 0x33);
    }

    private static void assertFilled(Path disk, int start, int end, int pattern) throws IOException {
        byte[] part = new byte[end - start];
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "r")) {
            file.seek(start);
            file.readFully(part);
        }
        for (int i = 0; i < part.length; i++) {
            assertEquals((byte) pattern, part[i], "offset=" + (start + i));
        }
    }

    /** Each program has a domain of its own, and each of their requests was translated. */
    private static void assertTranslated(IommuCounters counters) {
        long attached = counters.requests(RequestType.ATTACH);
        assertTrue(attached >= KERNELS + PROGRAMS, "ATTACH=" + attached);
        assertTrue(counters.requests(RequestType.MAP) > 0, "MAP");
        assertTrue(counters.requests(RequestType.UNMAP) > 0, "UNMAP");
        assertTrue(counters.translations() > 2 * WRITES, "translations=" + counters.translations());
        assertEquals(0, counters.reportedFaults() + counters.lostFaults(), "faults");
    }
}
