// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a guest reads in a VIOT, written from ACPI 6.5 and after Linux (drivers/acpi/viot.c), and from nothing of what
 * writes the table.
 */
final class ViotGuest implements GuestView {

    private static final int ACPI_HEADER = 36;

    private final ByteBuffer table;
    private final Map<Integer, Location> iommus = new HashMap<>();
    private final List<Range> ranges = new ArrayList<>();
    private final List<Single> singles = new ArrayList<>();

    private record Range(int segmentStart, int segmentEnd, int bdfStart, int bdfEnd, int endpoint, int output) {
    }

    private record Single(long base, int endpoint, int output) {
    }

    /** Reads a whole table; throws {@link IllegalArgumentException} if it is none. */
    ViotGuest(byte[] bytes) {
        table = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        require(table.getInt(0) == 0x544f4956, "signature VIOT");
        require(table.getInt(4) == bytes.length, "length");
        byte sum = 0;
        for (byte each : bytes) {
            sum += each;
        }
        require(sum == 0, "checksum");
        int node = u16(ACPI_HEADER + 2);
        for (int left = u16(ACPI_HEADER); left > 0; left--) {
            node += readNode(node);
        }
        require(node == bytes.length, "nodes fill the table");
    }

    private int readNode(int at) {
        int length = u16(at + 2);
        require(length >= 16 && at + length <= table.capacity(), "length of the node at " + at);
        switch (table.get(at)) {
            case 1 -> ranges.add(new Range(u16(at + 8), u16(at + 10), u16(at + 12), u16(at + 14),
                    table.getInt(at + 4), u16(at + 16)));
            case 2 -> singles.add(new Single(table.getLong(at + 8), table.getInt(at + 4), u16(at + 16)));
            case 3 -> iommus.put(at, PciAddress.of(u16(at + 4), u16(at + 6)));
            case 4 -> iommus.put(at, new MmioBase(table.getLong(at + 8)));
            default -> throw new IllegalArgumentException("node of type " + table.get(at));
        }
        return length;
    }

    @Override
    public Optional<EndpointId> endpoint(Location device) {
        return switch (device) {
            case PciAddress address -> ofFunction(address);
            case MmioBase base -> singles.stream().filter(single -> single.base() == base.address())
                    .map(single -> found(single.output(), single.endpoint())).findFirst();
        };
    }

    private Optional<EndpointId> ofFunction(PciAddress address) {
        for (Range range : ranges) {
            if (range.segmentStart() <= address.segment() && address.segment() <= range.segmentEnd()
                    && range.bdfStart() <= address.bdf() && address.bdf() <= range.bdfEnd()) {
                EndpointId found = found(range.output(), ((address.segment() - range.segmentStart()) << 16)
                        + address.bdf() - range.bdfStart() + range.endpoint());
                // An IOMMU does not translate for itself.
                return found.iommu().equals(address) ? Optional.empty() : Optional.of(found);
            }
        }
        return Optional.empty();
    }

    private EndpointId found(int output, int endpoint) {
        Location iommu = iommus.get(output);
        if (iommu == null) {
            throw new IllegalArgumentException("an IOMMU at " + output);
        }
        return new EndpointId(iommu, endpoint);
    }

    private int u16(int at) {
        return Short.toUnsignedInt(table.getShort(at));
    }

    private static void require(boolean right, String what) {
        if (!right) {
            throw new IllegalArgumentException("expected " + what);
        }
    }
}
