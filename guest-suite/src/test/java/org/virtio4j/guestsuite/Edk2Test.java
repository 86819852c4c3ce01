// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.harness.Firmware;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * UEFI for PCs boots its shell from the disk behind the IOMMU, which no driver uses then, and the shell copies files
 * between both disks and compares them.
 */
@GuestScenario
class Edk2Test {

    private static final int BYTES = 3_000_001;
    private static final String SCRIPT = """
            @echo -off
            cp fs0:\\DATA.BIN fs1:\\COPY.BIN
            comp fs0:\\DATA.BIN fs1:\\COPY.BIN
            if %lasterror% == 0x0 then
              echo virtio4j: behind to beside
            endif
            cp fs1:\\DATA.BIN fs0:\\COPY.BIN
            comp fs1:\\DATA.BIN fs0:\\COPY.BIN
            if %lasterror% == 0x0 then
              echo virtio4j: beside to behind
            endif
            reset -s
            """;

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @TempDir
    private Path folder;

    @Test
    void shouldBootFromTheDiskBehindTheIommuAndCopyFiles()
            throws IOException, NotFetchedException, UnusableGuestException {
        byte[] behindData = random(1);
        byte[] besideData = random(2);
        Path behind = folder.resolve("behind");
        Path beside = folder.resolve("beside");
        FatDisk.create().with("EFI/BOOT/BOOTX64.EFI", GuestBooter.uefiShell()).with("DATA.BIN", behindData)
                .with("STARTUP.NSH", SCRIPT.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII)).write(behind);
        FatDisk.create().with("DATA.BIN", besideData).write(beside);
        guest.when("EFI Internal Shell", guest::end); // which it starts if it finds nothing to boot
        TwoDisks.Maker maker = new TwoDisks.Maker(behind, beside);
        List<String> said = guest.bootFirmware(Firmware.EDK2, Map.of(), maker);
        for (String direction : List.of("behind to beside", "beside to behind")) {
            assertTrue(said.stream().anyMatch(line -> line.contains("virtio4j: " + direction)), direction);
        }
        assertArrayEquals(behindData, FatDisk.read(beside).content("COPY.BIN"));
        assertArrayEquals(besideData, FatDisk.read(behind).content("COPY.BIN"));
        maker.devices().assertNothingLeft();
    }

    private static byte[] random(long seed) {
        byte[] bytes = new byte[BYTES];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
