// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What one IOMMU manages. Immutable. A range may cover the IOMMU's own function, which is not an endpoint for that: a
 * whole segment is one range.
 *
 * @param location  where the IOMMU lies
 * @param ranges    the functions on PCI that are its endpoints
 * @param endpoints its other endpoints
 */
public record IommuScope(Location location, List<PciRange> ranges, List<MmioEndpoint> endpoints) {

    /**
     * Copies the lists.
     *
     * @throws IllegalArgumentException if two parts share a device or an endpoint's number, or the IOMMU is to be its
     *         own endpoint
     */
    public IommuScope {
        ranges = List.copyOf(ranges);
        endpoints = List.copyOf(endpoints);
        requireFunctionsApart(ranges);
        requireNumbersApart(ranges, endpoints);
        requireAddressesApart(location, endpoints);
    }

    /**
     * An IOMMU that manages nothing yet.
     *
     * @param location where it lies
     * @return a scope without endpoints
     */
    public static IommuScope at(Location location) {
        return new IommuScope(location, List.of(), List.of());
    }

    /**
     * An IOMMU and functions, each of which is the endpoint with the number of its BDF. Functions that are not named
     * are in no range, however close.
     *
     * @param location  where the IOMMU lies
     * @param functions the functions, in any order
     * @return a scope with a range for each run of functions without a gap
     * @throws IllegalArgumentException if the IOMMU is one of the functions, or two of them in different segments have
     *         the same BDF
     */
    public static IommuScope of(Location location, Collection<PciAddress> functions) {
        if (location instanceof PciAddress own && functions.contains(own)) {
            throw new IllegalArgumentException("functions=" + functions + ": must not contain the IOMMU, " + own);
        }
        List<PciRange> ranges = new ArrayList<>();
        for (PciAddress function : new TreeSet<>(functions)) {
            PciRange range = PciRange.of(function);
            boolean next = !ranges.isEmpty() && ranges.getLast().isFollowedBy(range);
            ranges.add(next ? ranges.removeLast().upTo(range) : range);
        }
        return new IommuScope(location, ranges, List.of());
    }

    /**
     * The same with more functions.
     *
     * @param range functions on PCI
     * @return a scope
     * @throws IllegalArgumentException if the range shares a function or an endpoint's number with what is there
     */
    public IommuScope with(PciRange range) {
        return new IommuScope(location, append(ranges, range), endpoints);
    }

    /**
     * The same with one more device.
     *
     * @param endpoint a device that is not on PCI
     * @return a scope
     * @throws IllegalArgumentException if its address or its number is taken, or the IOMMU lies there
     */
    public IommuScope with(MmioEndpoint endpoint) {
        return new IommuScope(location, ranges, append(endpoints, endpoint));
    }

    /** The same ranges without some functions. */
    IommuScope without(List<PciAddress> functions) {
        List<PciRange> left = ranges;
        for (PciAddress function : functions) {
            left = left.stream().flatMap(range -> split(range, function).stream()).toList();
        }
        return new IommuScope(location, left, endpoints);
    }

    private static List<PciRange> split(PciRange range, PciAddress without) {
        if (!range.contains(without)) {
            return List.of(range);
        }
        List<PciRange> parts = new ArrayList<>(2);
        if (range.bdfStart() < without.bdf()) {
            parts.add(range.part(range.bdfStart(), without.bdf() - 1));
        }
        if (without.bdf() < range.bdfEnd()) {
            parts.add(range.part(without.bdf() + 1, range.bdfEnd()));
        }
        return parts;
    }

    private static <T> List<T> append(List<T> list, T element) {
        List<T> longer = new ArrayList<>(list);
        longer.add(element);
        return longer;
    }

    /** What overlaps anything at all overlaps its neighbour in order. */
    private static void requireFunctionsApart(List<PciRange> ranges) {
        List<PciRange> sorted = ranges.stream().sorted(PciRange.BY_FUNCTION).toList();
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i - 1).sharesFunctions(sorted.get(i))) {
                throw new IllegalArgumentException("range=" + sorted.get(i) + " shares functions with "
                        + sorted.get(i - 1));
            }
        }
    }

    private static void requireNumbersApart(List<PciRange> ranges, List<MmioEndpoint> endpoints) {
        List<Numbers> sorted = Stream.concat(
                ranges.stream().map(range -> new Numbers(range.endpointStart(), range.endpointEnd(), range)),
                endpoints.stream().map(each -> new Numbers(each.endpoint(), each.endpoint(), each)))
                .sorted(Comparator.comparing(Numbers::first, Integer::compareUnsigned)).toList();
        for (int i = 1; i < sorted.size(); i++) {
            if (Integer.compareUnsigned(sorted.get(i).first(), sorted.get(i - 1).last()) <= 0) {
                throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(sorted.get(i).first())
                        + ": " + sorted.get(i - 1).of() + " and " + sorted.get(i).of() + " both have it; choose"
                        + " other numbers for one of them");
            }
        }
    }

    private static void requireAddressesApart(Location location, List<MmioEndpoint> endpoints) {
        Set<Location> taken = new HashSet<>(Set.of(location));
        for (MmioEndpoint endpoint : endpoints) {
            if (!taken.add(endpoint.base())) {
                throw new IllegalArgumentException("endpoint=" + endpoint + ": "
                        + (endpoint.base().equals(location) ? "the IOMMU" : "another endpoint") + " lies there");
            }
        }
    }

    /** The numbers of a part's endpoints, unsigned, both ends inclusive. */
    private record Numbers(int first, int last, Object of) {
    }
}
