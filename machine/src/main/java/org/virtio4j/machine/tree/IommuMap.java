// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.virtio4j.machine.EndpointId;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;

/**
 * The property {@code iommu-map} of a host bridge, by which a guest finds the endpoint of a function (Linux, {@code
 * Documentation/devicetree/bindings/pci/pci-iommu.txt}). The first entry that holds a function counts.
 */
final class IommuMap {

    static final String PROPERTY = "iommu-map";
    static final String MASK = "iommu-map-mask";
    /** Cells of an entry that leads to an IOMMU with {@code #iommu-cells = <1>}. */
    static final int ENTRY_CELLS = 4;
    /** Where in an entry the phandle is. */
    static final int PHANDLE_CELL = 1;

    /** Functions in a row: the function {@code requester + n} is endpoint {@code endpoint + n}. */
    record Entry(int requester, int phandle, int endpoint, int count) {

        /** Both numbers are unsigned in a tree. */
        boolean overlaps(Entry other) {
            return Integer.toUnsignedLong(requester) < other.end() && Integer.toUnsignedLong(other.requester) < end();
        }

        private long end() {
            return Integer.toUnsignedLong(requester) + Integer.toUnsignedLong(count);
        }
    }

    private final Topology topology;
    private final TreeSettings settings;
    private final Map<Location, Integer> phandles;

    IommuMap(Topology topology, TreeSettings settings, Map<Location, Integer> phandles) {
        this.topology = topology;
        this.settings = settings;
        this.phandles = phandles;
    }

    /** The segments with endpoints. */
    Set<Integer> segments() {
        Set<Integer> segments = new TreeSet<>();
        settings.functions().ifPresentOrElse(
                functions -> functions.forEach(function -> segments.add(function.segment())),
                () -> topology.scopes().forEach(
                        scope -> scope.ranges().forEach(range -> segments.add(range.segment()))));
        return segments;
    }

    /** The entries for the host bridge of a segment, in order. */
    List<Entry> of(int segment) {
        List<Entry> entries = new ArrayList<>();
        settings.functions().ifPresentOrElse(
                functions -> functions.stream().filter(function -> function.segment() == segment)
                        .forEach(function -> entries.add(entry(function))),
                () -> topology.scopes().forEach(scope -> scope.ranges().stream()
                        .filter(range -> range.segment() == segment)
                        .forEach(range -> addParts(scope, range, entries))));
        return entries;
    }

    private Entry entry(PciAddress function) {
        EndpointId endpoint = topology.endpoint(function).orElseThrow(() -> new IllegalArgumentException(
                "function=" + function + ": no IOMMU of the topology manages it"));
        if (settings.isProtected(function)) {
            throw new IllegalArgumentException("function=" + function + ": a protected device is no endpoint");
        }
        return new Entry(function.bdf(), phandle(endpoint.iommu()), endpoint.id(), 1);
    }

    /** A range without the functions in it that are no endpoints. */
    private void addParts(IommuScope scope, PciRange range, List<Entry> entries) {
        int start = range.bdfStart();
        for (int gap : gaps(range)) {
            addPart(scope, range, start, gap - 1, entries);
            start = gap + 1;
        }
        addPart(scope, range, start, range.bdfEnd(), entries);
    }

    private void addPart(IommuScope scope, PciRange range, int start, int end, List<Entry> entries) {
        if (start <= end) {
            entries.add(new Entry(start, phandle(scope.location()), range.endpointStart() + (start - range.bdfStart()),
                    end - start + 1));
        }
    }

    /** IOMMUs and protected functions of a range, as BDFs in order. */
    private Set<Integer> gaps(PciRange range) {
        Set<Integer> gaps = new TreeSet<>();
        topology.scopes().forEach(scope -> addIfIn(range, scope.location(), gaps));
        settings.protectedDevices().forEach(device -> addIfIn(range, device, gaps));
        return gaps;
    }

    private static void addIfIn(PciRange range, Location location, Set<Integer> gaps) {
        if (location instanceof PciAddress address && range.contains(address)) {
            gaps.add(address.bdf());
        }
    }

    private int phandle(Location iommu) {
        Integer phandle = phandles.get(iommu);
        if (phandle == null) {
            throw new IllegalStateException("iommu=" + iommu + " has no phandle");
        }
        return phandle;
    }

    static int[] cells(List<Entry> entries) {
        int[] cells = new int[entries.size() * ENTRY_CELLS];
        int at = 0;
        for (Entry entry : entries) {
            cells[at++] = entry.requester;
            cells[at++] = entry.phandle;
            cells[at++] = entry.endpoint;
            cells[at++] = entry.count;
        }
        return cells;
    }

    /** The entries of a map that exists; what is left behind the last whole entry is not looked at. */
    static List<Entry> entries(int[] cells) {
        List<Entry> entries = new ArrayList<>();
        for (int at = 0; at + ENTRY_CELLS <= cells.length; at += ENTRY_CELLS) {
            entries.add(new Entry(cells[at], cells[at + 1], cells[at + 2], cells[at + 3]));
        }
        return entries;
    }
}
