// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.GuestDevices;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.MmioWindow;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.MmioDeviceTable;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.wire.iommu.RequestType;

/**
 * A stock Linux for PCs reads tables with all kinds of nodes: our IOMMU on PCI with a whole segment, and a second one
 * over MMIO with endpoints on PCI and over MMIO. Nothing answers at the windows of the second, which QEMU does not
 * know; Linux must find them in the table nevertheless, and must translate for the endpoints of the first. QEMU's own
 * functions and a disk are in the range as well and are no endpoints: Linux must leave them alone.
 */
@GuestScenario
class AcpiTablesTest {

    private static final MmioWindow LOW = new MmioWindow(new MmioBase(0xfd00_0000L), 0x200, 5);
    private static final MmioWindow HIGH = new MmioWindow(new MmioBase(0x70_0000_0000L), 0x1000, 10);

    private static final Topology TOPOLOGY = Topology.of(
            IommuScope.at(TwoDisks.IOMMU).with(PciRange.ofSegment(0, 0)),
            IommuScope.at(LOW.base()).with(PciRange.ofSegment(1, 0)).with(new MmioEndpoint(HIGH.base(), 0x1_0000)));

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldBeReadByLinux() throws IOException, NotFetchedException, UnusableGuestException {
        TwoDisks.Maker maker = new TwoDisks.Maker();
        Booted booted = guest.boot(Workload.DISKS, null,
                (folder, options, qemu) -> new WithTables(maker.serve(folder, options, qemu)));
        booted.assertDone();
        assertEquals(Integer.toString(ViotTable.table(TOPOLOGY).length), booted.fact("viot"));
        assertEquals("fd000000-fd0001ff", booted.fact("mmio/LNRO0005:00"));
        assertEquals("7000000000-7000000fff", booted.fact("mmio/LNRO0005:01"));
        assertEquals("DMA-FQ", booted.group("0000:00:0a.0", "type"));
        assertEquals("", booted.fact("pci/0000:00:0b.0/group"), "the disk that is in the range and is no endpoint");
        maker.devices().assertServed(booted);
        IommuCounters counters = maker.devices().counters();
        assertEquals(2, counters.requests(RequestType.ATTACH));
        assertTrue(counters.requests(RequestType.MAP) > 0, "MAP");
    }

    /** Two disks, of which the guest is told by other tables. */
    private record WithTables(GuestDevices disks) implements GuestDevices {

        @Override
        public String kernelOptions() {
            return disks.kernelOptions();
        }

        @Override
        public void addTo(QemuCommand command, RunFolder folder) throws IOException {
            Path viot = folder.file("whole.viot", ViotTable.table(TOPOLOGY));
            Path ssdt = folder.file("ssdt", MmioDeviceTable.table(List.of(LOW, HIGH)));
            command.arguments(new QemuArguments().acpiTable(viot).acpiTable(ssdt)
                    .served(TwoDisks.IOMMU, folder.path("iommu.sock"))
                    .served(TwoDisks.RNG, folder.path("rng.sock"))
                    .served(TwoDisks.DISK_BEHIND, folder.path("disk.sock"))
                    .served(TwoDisks.DISK_BESIDE, folder.path("beside-disk.sock")));
        }

        @Override
        public void strayDma() {
            disks.strayDma();
        }

        @Override
        public List<String> report() {
            return disks.report();
        }

        @Override
        public void close() throws IOException {
            disks.close();
        }
    }
}
