// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.harness.Firmware;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * U-Boot finds the disk behind the IOMMU, which no driver uses then, and the disk beside it, and copies a MiB from each
 * to the other one.
 */
@GuestScenario
class UBootTest {

    /** What it sends before it waits for somebody who stops it from booting by itself. */
    private static final String BEFORE_COMMANDS = "Net: ";

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"U_BOOT_PC, 10000000", "U_BOOT_ARM64, 50000000"})
    void shouldReadAndWriteBothDisks(Firmware firmware, String memory)
            throws IOException, NotFetchedException, UnusableGuestException {
        Path behind = folder.resolve("behind");
        Path beside = folder.resolve("beside");
        DiskFile.create(behind, 1, 1);
        DiskFile.create(beside, 1, 2);
        String behindSum = DiskFile.md5(behind, 0, 1);
        String besideSum = DiskFile.md5(beside, 0, 1);
        TwoDisks.Maker maker = new TwoDisks.Maker(behind, beside);
        List<String> said = guest.bootFirmware(firmware, Map.of(BEFORE_COMMANDS, commands(memory)), maker);
        for (String direction : List.of("read", "written")) {
            assertEquals(2, said.stream().filter(line -> line.contains("2048 blocks " + direction + ": OK")).count());
        }
        assertEquals(behindSum, DiskFile.md5(beside, 16, 1));
        assertEquals(besideSum, DiskFile.md5(behind, 16, 1));
        assertEquals(behindSum, DiskFile.md5(behind, 0, 1));
        maker.devices().assertNothingLeft();
    }

    /** 2,048 sectors are a MiB. The first character stops it from booting by itself. */
    private static String commands(String memory) {
        String hex = " 0x" + memory;
        return String.join("\n", "", "virtio scan", "virtio info",
                "virtio dev 0", "virtio read" + hex + " 0 800",
                "virtio dev 1", "virtio write" + hex + " 8000 800", "virtio read" + hex + " 0 800",
                "virtio dev 0", "virtio write" + hex + " 8000 800",
                "reset", "");
    }
}
