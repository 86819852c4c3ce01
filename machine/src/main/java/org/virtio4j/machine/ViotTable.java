// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.virtio4j.wire.acpi.ViotHeader;
import org.virtio4j.wire.acpi.ViotPciIommu;
import org.virtio4j.wire.acpi.ViotPciRange;

/**
 * Writes the ACPI table that tells a guest which PCI functions are behind a virtio-iommu (VIOT). Each is the endpoint
 * whose identifier is its {@linkplain PciAddress#bdf() BDF}.
 *
 * <p>A function that is not named is in no range of the table, however close: what another process emulates beside ours
 * would not be translated, though the guest believed it.
 */
public final class ViotTable {

    private ViotTable() {
    }

    /**
     * The table without the header that all ACPI tables have, as QEMU's {@code -acpitable data=} takes it. Offsets in
     * it count from that header's beginning nevertheless.
     *
     * @param iommu where the IOMMU lies
     * @param endpoints the functions behind it, in any order
     * @return the bytes
     * @throws IllegalArgumentException if there is no endpoint, or the IOMMU is to be its own
     */
    public static byte[] body(PciAddress iommu, Collection<PciAddress> endpoints) {
        if (endpoints.isEmpty()) {
            throw new IllegalArgumentException("endpoints=[]: name at least one function");
        }
        if (endpoints.contains(iommu)) {
            throw new IllegalArgumentException("endpoints=" + endpoints + ": must not contain the IOMMU, " + iommu);
        }
        List<Range> ranges = ranges(new TreeSet<>(endpoints));
        int iommuNode = Math.toIntExact(ViotHeader.SIZE + ranges.size() * ViotPciRange.SIZE);
        ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(iommuNode + ViotPciIommu.SIZE))
                .order(ByteOrder.LITTLE_ENDIAN);
        put2(table, 0, ViotHeader.NODE_COUNT, ranges.size() + 1);
        put2(table, 0, ViotHeader.NODE_OFFSET, Math.toIntExact(ViotHeader.SIZE));
        long node = ViotHeader.SIZE;
        for (Range range : ranges) {
            putRange(table, node, range, iommuNode);
            node += ViotPciRange.SIZE;
        }
        putIommu(table, node, iommu);
        byte[] body = new byte[Math.toIntExact(table.capacity() - ViotHeader.ACPI_HEADER_SIZE)];
        table.get(Math.toIntExact(ViotHeader.ACPI_HEADER_SIZE), body);
        return body;
    }

    /** Functions without a gap between them. */
    private record Range(int bdfStart, int bdfEnd) {
    }

    private static List<Range> ranges(SortedSet<PciAddress> endpoints) {
        List<Range> ranges = new ArrayList<>();
        for (PciAddress endpoint : endpoints) {
            int bdf = endpoint.bdf();
            boolean next = !ranges.isEmpty() && ranges.getLast().bdfEnd() == bdf - 1;
            ranges.add(new Range(next ? ranges.removeLast().bdfStart() : bdf, bdf));
        }
        return ranges;
    }

    private static void putRange(ByteBuffer table, long node, Range range, int iommuNode) {
        put1(table, node, ViotPciRange.TYPE, ViotHeader.PCI_RANGE);
        put2(table, node, ViotPciRange.LENGTH, Math.toIntExact(ViotPciRange.SIZE));
        table.putInt(Math.toIntExact(node + ViotPciRange.ENDPOINT_START), range.bdfStart());
        put2(table, node, ViotPciRange.BDF_START, range.bdfStart());
        put2(table, node, ViotPciRange.BDF_END, range.bdfEnd());
        put2(table, node, ViotPciRange.OUTPUT_NODE, iommuNode);
    }

    private static void putIommu(ByteBuffer table, long node, PciAddress iommu) {
        put1(table, node, ViotPciIommu.TYPE, ViotHeader.VIRTIO_PCI_IOMMU);
        put2(table, node, ViotPciIommu.LENGTH, Math.toIntExact(ViotPciIommu.SIZE));
        put2(table, node, ViotPciIommu.BDF, iommu.bdf());
    }

    private static void put1(ByteBuffer table, long node, long field, int value) {
        table.put(Math.toIntExact(node + field), (byte) value);
    }

    private static void put2(ByteBuffer table, long node, long field, int value) {
        table.putShort(Math.toIntExact(node + field), (short) value);
    }
}
