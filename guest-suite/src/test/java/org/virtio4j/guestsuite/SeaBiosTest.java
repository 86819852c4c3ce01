// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.harness.Firmware;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/** SeaBIOS boots a program from the disk behind the IOMMU, which no driver uses then; it copies parts of both disks. */
@GuestScenario
class SeaBiosTest {

    private static final int BYTES = 1 << 20;
    private static final int PART = BootSector.SECTORS * BootSector.BYTES;

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @TempDir
    private Path folder;

    @Test
    void shouldBootProgramThatReadsAndWritesBothDisks()
            throws IOException, NotFetchedException, UnusableGuestException {
        byte[] behind = disk(1);
        byte[] beside = disk(2);
        Path behindFile = Files.write(folder.resolve("behind"), behind);
        Path besideFile = Files.write(folder.resolve("beside"), beside);
        guest.when("No bootable device", guest::end);
        TwoDisks.Maker maker = new TwoDisks.Maker(behindFile, besideFile);
        List<String> said = guest.bootFirmware(Firmware.SEABIOS, Map.of(), maker);
        assertEquals(2, said.stream().filter(line -> line.contains(BootSector.DONE)).count());
        copy(behind, behind, BootSector.OWN_COPY);
        copy(behind, beside, BootSector.OTHERS_COPY);
        copy(beside, beside, BootSector.OWN_COPY);
        copy(beside, behind, BootSector.OTHERS_COPY);
        assertArrayEquals(behind, Files.readAllBytes(behindFile));
        assertArrayEquals(beside, Files.readAllBytes(besideFile));
        maker.devices().assertNothingLeft();
    }

    private static byte[] disk(long seed) {
        byte[] disk = new byte[BYTES];
        new Random(seed).nextBytes(disk);
        byte[] sector = BootSector.bytes();
        System.arraycopy(sector, 0, disk, 0, sector.length);
        return disk;
    }

    private static void copy(byte[] from, byte[] to, int sector) {
        byte[] part = Arrays.copyOfRange(from, BootSector.BYTES, BootSector.BYTES + PART);
        System.arraycopy(part, 0, to, sector * BootSector.BYTES, PART);
    }
}
