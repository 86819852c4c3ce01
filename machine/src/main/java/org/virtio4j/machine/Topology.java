// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which devices are endpoints of which IOMMUs in one guest, and by which numbers. Immutable. It says what could be
 * there: an endpoint exists once a device is plugged.
 *
 * <p>The guest is told of it in one of several forms: {@code acpi} has the tables of ACPI, {@code tree} the device
 * tree, {@link TopologyItems} what an IOMMU's own configuration can show.
 */
public final class Topology {

    private final List<IommuScope> scopes;

    private Topology(List<IommuScope> scopes) {
        this.scopes = scopes;
    }

    /**
     * Puts scopes together. An IOMMU is nobody's endpoint: a range that covers another IOMMU's function is split
     * around it.
     *
     * @param scopes what each IOMMU manages
     * @return a topology
     * @throws IllegalArgumentException if two IOMMUs lie at one place or manage the same device
     */
    public static Topology of(IommuScope... scopes) {
        return of(List.of(scopes));
    }

    /**
     * Puts scopes together, see {@link #of(IommuScope...)}.
     *
     * @param scopes what each IOMMU manages
     * @return a topology
     * @throws IllegalArgumentException as {@link #of(IommuScope...)}
     */
    public static Topology of(List<IommuScope> scopes) {
        requirePlacesApart(scopes);
        List<IommuScope> apart = scopes.stream().map(scope -> scope.without(othersIn(scopes, scope))).toList();
        requireFunctionsApart(apart);
        requireAddressesApart(apart);
        return new Topology(apart);
    }

    /**
     * What each IOMMU manages, in the order of {@link #of}. No range covers another IOMMU's function.
     *
     * @return an immutable list
     */
    public List<IommuScope> scopes() {
        return scopes;
    }

    /**
     * What one IOMMU manages.
     *
     * @param iommu where it lies
     * @return nothing if no IOMMU lies there
     */
    public Optional<IommuScope> scope(Location iommu) {
        return scopes.stream().filter(scope -> scope.location().equals(iommu)).findFirst();
    }

    /**
     * Which endpoint a device is. For set-up: it looks through all ranges.
     *
     * @param device where the device lies
     * @return nothing if no IOMMU manages it, or if it is one
     */
    public Optional<EndpointId> endpoint(Location device) {
        if (scope(device).isPresent()) {
            return Optional.empty();
        }
        return switch (device) {
            case PciAddress address -> ofFunction(address);
            case MmioBase base -> ofWindow(base);
        };
    }

    /** What each IOMMU manages. */
    @Override
    public String toString() {
        return scopes.toString();
    }

    private Optional<EndpointId> ofFunction(PciAddress address) {
        for (IommuScope scope : scopes) {
            for (PciRange range : scope.ranges()) {
                if (range.contains(address)) {
                    return Optional.of(new EndpointId(scope.location(), range.endpoint(address)));
                }
            }
        }
        return Optional.empty();
    }

    private Optional<EndpointId> ofWindow(MmioBase base) {
        for (IommuScope scope : scopes) {
            for (MmioEndpoint endpoint : scope.endpoints()) {
                if (endpoint.base().equals(base)) {
                    return Optional.of(new EndpointId(scope.location(), endpoint.endpoint()));
                }
            }
        }
        return Optional.empty();
    }

    /** The functions of the other IOMMUs. */
    private static List<PciAddress> othersIn(List<IommuScope> scopes, IommuScope own) {
        List<PciAddress> others = new ArrayList<>();
        for (IommuScope scope : scopes) {
            if (scope.location() instanceof PciAddress address && !address.equals(own.location())) {
                others.add(address);
            }
        }
        return others;
    }

    private static void requirePlacesApart(List<IommuScope> scopes) {
        Set<Location> places = new HashSet<>();
        for (IommuScope scope : scopes) {
            if (!places.add(scope.location())) {
                throw new IllegalArgumentException("location=" + scope.location() + ": two IOMMUs lie there");
            }
        }
    }

    private static void requireFunctionsApart(List<IommuScope> scopes) {
        List<Managed> sorted = scopes.stream()
                .flatMap(scope -> scope.ranges().stream().map(range -> new Managed(scope.location(), range)))
                .sorted(Comparator.comparing(Managed::range, PciRange.BY_FUNCTION)).toList();
        for (int i = 1; i < sorted.size(); i++) {
            Managed before = sorted.get(i - 1);
            if (before.range().sharesFunctions(sorted.get(i).range())) {
                throw new IllegalArgumentException("range=" + sorted.get(i).range() + " of the IOMMU at "
                        + sorted.get(i).iommu() + " shares functions with " + before.range() + " of the one at "
                        + before.iommu());
            }
        }
    }

    private static void requireAddressesApart(List<IommuScope> scopes) {
        Map<Location, Location> taken = new HashMap<>();
        scopes.forEach(scope -> taken.put(scope.location(), scope.location()));
        for (IommuScope scope : scopes) {
            for (MmioEndpoint endpoint : scope.endpoints()) {
                Location before = taken.putIfAbsent(endpoint.base(), scope.location());
                if (before != null) {
                    throw new IllegalArgumentException("endpoint=" + endpoint + " of the IOMMU at " + scope.location()
                            + (before.equals(endpoint.base()) ? " is an IOMMU itself"
                            : " is also one of the IOMMU at " + before));
                }
            }
        }
    }

    /** A range, and who manages it. */
    private record Managed(Location iommu, PciRange range) {
    }
}
