// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import java.util.Arrays;
import java.util.List;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.wire.acpi.AcpiHeader;
import org.virtio4j.wire.acpi.ViotHeader;
import org.virtio4j.wire.acpi.ViotMmioEndpoint;
import org.virtio4j.wire.acpi.ViotMmioIommu;
import org.virtio4j.wire.acpi.ViotPciIommu;
import org.virtio4j.wire.acpi.ViotPciRange;

/**
 * Writes the ACPI table that tells a guest which devices are behind a virtio-iommu (VIOT). Its nodes are the IOMMUs,
 * then the ranges and the single endpoints.
 *
 * <p>What lies in no range is not translated, however close. A function that is in a range and is not an endpoint of
 * the IOMMU, such as one that another process emulates, is not translated either. A guest that probes each endpoint
 * learns that there is none: Linux then leaves the function alone (6.12 was tried). A guest that does not probe would
 * rely on a translation, so a range of functions that are this machine's is the safer one.
 *
 * <p>A guest finds a device over MMIO only if a {@link MmioDeviceTable} describes it, too.
 */
public final class ViotTable {

    /** The number of nodes is 16 bits wide. */
    private static final int MOST_NODES = 0xffff;

    private ViotTable() {
    }

    /**
     * The whole table.
     *
     * @param topology what it is to say
     * @return the bytes, with header and checksum
     * @throws IllegalArgumentException if the topology has more than 65,535 IOMMUs, ranges and single endpoints
     */
    public static byte[] table(Topology topology) {
        AcpiTable table = new AcpiTable(ViotHeader.SIZE + nodeBytes(topology));
        table.put2(ViotHeader.NODE_COUNT, nodeCount(topology));
        table.put2(ViotHeader.NODE_OFFSET, Math.toIntExact(ViotHeader.SIZE));
        long node = ViotHeader.SIZE;
        for (IommuScope scope : topology.scopes()) {
            node = putIommu(table, node, scope);
        }
        // All nodes of IOMMUs have one size.
        long iommu = ViotHeader.SIZE;
        for (IommuScope scope : topology.scopes()) {
            node = putEndpoints(table, node, scope, Math.toIntExact(iommu));
            iommu += ViotPciIommu.SIZE;
        }
        return table.finish(ViotHeader.SIGNATURE, ViotHeader.REVISION);
    }

    /**
     * The table without the header that all ACPI tables have, as QEMU's {@code -acpitable data=} takes it. Offsets in
     * it count from that header's beginning nevertheless.
     *
     * @param topology what it is to say
     * @return the bytes
     * @throws IllegalArgumentException as {@link #table}
     */
    public static byte[] body(Topology topology) {
        byte[] table = table(topology);
        return Arrays.copyOfRange(table, Math.toIntExact(AcpiHeader.SIZE), table.length);
    }

    private static int nodeCount(Topology topology) {
        List<IommuScope> scopes = topology.scopes();
        long count = scopes.size();
        for (IommuScope scope : scopes) {
            count += scope.ranges().size() + scope.endpoints().size();
        }
        // The IOMMUs' nodes must also lie within 16-bit offsets.
        if (count > MOST_NODES || ViotHeader.SIZE + scopes.size() * ViotPciIommu.SIZE > MOST_NODES) {
            throw new IllegalArgumentException("topology=" + scopes.size() + " IOMMUs, " + count
                    + " nodes: a VIOT has room for 4,092 and 65,535; use larger ranges");
        }
        return (int) count;
    }

    private static long nodeBytes(Topology topology) {
        long bytes = 0;
        for (IommuScope scope : topology.scopes()) {
            bytes += ViotPciIommu.SIZE + scope.ranges().size() * ViotPciRange.SIZE
                    + scope.endpoints().size() * ViotMmioEndpoint.SIZE;
        }
        return bytes;
    }

    private static long putIommu(AcpiTable table, long node, IommuScope scope) {
        return switch (scope.location()) {
            case PciAddress address -> {
                table.put1(node + ViotPciIommu.TYPE, ViotHeader.VIRTIO_PCI_IOMMU);
                table.put2(node + ViotPciIommu.LENGTH, Math.toIntExact(ViotPciIommu.SIZE));
                table.put2(node + ViotPciIommu.SEGMENT, address.segment());
                table.put2(node + ViotPciIommu.BDF, address.bdf());
                yield node + ViotPciIommu.SIZE;
            }
            case MmioBase base -> {
                table.put1(node + ViotMmioIommu.TYPE, ViotHeader.VIRTIO_MMIO_IOMMU);
                table.put2(node + ViotMmioIommu.LENGTH, Math.toIntExact(ViotMmioIommu.SIZE));
                table.put8(node + ViotMmioIommu.BASE, base.address());
                yield node + ViotMmioIommu.SIZE;
            }
        };
    }

    private static long putEndpoints(AcpiTable table, long first, IommuScope scope, int iommu) {
        long node = first;
        for (PciRange range : scope.ranges()) {
            putRange(table, node, range, iommu);
            node += ViotPciRange.SIZE;
        }
        for (MmioEndpoint endpoint : scope.endpoints()) {
            putEndpoint(table, node, endpoint, iommu);
            node += ViotMmioEndpoint.SIZE;
        }
        return node;
    }

    private static void putRange(AcpiTable table, long node, PciRange range, int iommu) {
        table.put1(node + ViotPciRange.TYPE, ViotHeader.PCI_RANGE);
        table.put2(node + ViotPciRange.LENGTH, Math.toIntExact(ViotPciRange.SIZE));
        table.put4(node + ViotPciRange.ENDPOINT_START, range.endpointStart());
        table.put2(node + ViotPciRange.SEGMENT_START, range.segment());
        table.put2(node + ViotPciRange.SEGMENT_END, range.segment());
        table.put2(node + ViotPciRange.BDF_START, range.bdfStart());
        table.put2(node + ViotPciRange.BDF_END, range.bdfEnd());
        table.put2(node + ViotPciRange.OUTPUT_NODE, iommu);
    }

    private static void putEndpoint(AcpiTable table, long node, MmioEndpoint endpoint, int iommu) {
        table.put1(node + ViotMmioEndpoint.TYPE, ViotHeader.MMIO_ENDPOINT);
        table.put2(node + ViotMmioEndpoint.LENGTH, Math.toIntExact(ViotMmioEndpoint.SIZE));
        table.put4(node + ViotMmioEndpoint.ENDPOINT, endpoint.endpoint());
        table.put8(node + ViotMmioEndpoint.BASE, endpoint.base().address());
        table.put2(node + ViotMmioEndpoint.OUTPUT_NODE, iommu);
    }
}
