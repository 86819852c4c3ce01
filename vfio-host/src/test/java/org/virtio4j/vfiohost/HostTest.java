// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegion.Kind;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** What a host says of its IOMMU and its functions. */
class HostTest {

    private static final String NAME = "0000:00:05.0";

    @TempDir
    private Path sys;

    @Test
    void shouldReserveWhatHostCannotMap() {
        List<IovaRange> usable = List.of(new IovaRange(0x1000, 0xfedf_ffffL),
                new IovaRange(0xfef0_0000L, 0x7f_ffff_ffffL));
        assertEquals(ReservedRegions.of(new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, Kind.MSI),
                new ReservedRegion(0, 0xfff, Kind.RESERVED), new ReservedRegion(0x80_0000_0000L, -1, Kind.RESERVED)),
                UsableAddresses.withoutHoles(usable, ReservedRegions.X86_MSI));
        assertEquals(ReservedRegions.of(new ReservedRegion(0, 0xfff, Kind.RESERVED),
                new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, Kind.RESERVED),
                new ReservedRegion(0x80_0000_0000L, -1, Kind.RESERVED)),
                UsableAddresses.withoutHoles(usable, ReservedRegions.NONE));
    }

    @Test
    void shouldReserveBothSidesOfDoorbellInHole() {
        assertEquals(ReservedRegions.of(new ReservedRegion(0xfee0_0000L, 0xfeef_ffffL, Kind.MSI),
                new ReservedRegion(0xfec0_0000L, 0xfedf_ffffL, Kind.RESERVED),
                new ReservedRegion(0xfef0_0000L, -1, Kind.RESERVED)),
                UsableAddresses.withoutHoles(List.of(new IovaRange(0, 0xfebf_ffffL)), ReservedRegions.X86_MSI));
    }

    @Test
    void shouldReserveNothingMoreWhenAllIsUsableOrUnknown() {
        assertEquals(ReservedRegions.X86_MSI,
                UsableAddresses.withoutHoles(List.of(new IovaRange(0, -1)), ReservedRegions.X86_MSI));
        assertEquals(ReservedRegions.NONE, UsableAddresses.withoutHoles(List.of(), ReservedRegions.NONE));
    }

    @Test
    void shouldNameFunctionsAsLinuxDoes() {
        assertEquals(NAME, SysfsPci.name("00:05.0"));
        assertEquals("0001:3f:1f.7", SysfsPci.name("0001:3f:1f.7"));
        for (String wrong : List.of("", "5.0", "00:05.8", "00:25.0", "../../etc", "00:05.0 ")) {
            assertThrows(IllegalArgumentException.class, () -> SysfsPci.name(wrong), wrong);
        }
    }

    @Test
    void shouldFindGroupAndItsMembers() throws IOException {
        Path device = Files.createDirectories(sys.resolve("bus/pci/devices").resolve(NAME));
        Path group = sys.resolve("kernel/iommu_groups/7");
        Files.createDirectories(group.resolve("devices"));
        Path driver = Files.createDirectories(sys.resolve("bus/pci/drivers/e1000"));
        Files.createSymbolicLink(device.resolve("iommu_group"), group);
        Files.createSymbolicLink(group.resolve("devices").resolve(NAME), device);
        SysfsPci host = new SysfsPci(sys);
        assertEquals(7, host.group(NAME));
        assertEquals(NAME + " (no driver)", host.members(7));
        Files.createSymbolicLink(device.resolve("driver"), driver);
        assertEquals(NAME + " (e1000)", host.members(7));
    }

    @Test
    void shouldSayWhatToDoWithoutGroup() throws IOException {
        SysfsPci host = new SysfsPci(sys);
        assertThrows(NoSuchFileException.class, () -> host.group(NAME));
        Files.createDirectories(sys.resolve("bus/pci/devices").resolve(NAME));
        NoSuchFileException thrown = assertThrows(NoSuchFileException.class, () -> host.group(NAME));
        assertTrue(String.valueOf(thrown.getMessage()).contains("intel_iommu=on"), thrown.getMessage());
    }
}
