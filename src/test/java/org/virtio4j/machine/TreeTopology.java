// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a guest learns of IOMMUs from a device tree, found as Linux finds it ({@code of_iommu_configure}, {@code
 * of_map_id}, {@code of_get_pci_domain_nr}): the first entry of {@code iommu-map} that holds the masked requester ID,
 * or the first entry of {@code iommus}.
 */
final class TreeTopology implements GuestView {

    private final FlatTree tree;
    /** Host bridges in the order of their segments. */
    private final List<FlatTree.Node> bridges = new ArrayList<>();

    TreeTopology(byte[] blob) {
        this(FlatTree.of(blob));
    }

    TreeTopology(FlatTree tree) {
        this.tree = tree;
        tree.nodes().stream().filter(node -> isPci(node) && !isPci(Objects.requireNonNull(node.parent)))
                .forEach(bridges::add);
    }

    @Override
    public Optional<EndpointId> endpoint(Location device) {
        return switch (device) {
            case PciAddress address -> bridges.stream().filter(bridge -> segment(bridge) == address.segment())
                    .findFirst().flatMap(bridge -> mapped(bridge, address.bdf()));
            case MmioBase base -> tree.nodes().stream().filter(node -> base.equals(base(node))).findFirst()
                    .flatMap(this::named);
        };
    }

    private Optional<EndpointId> mapped(FlatTree.Node bridge, int requester) {
        int masked = requester & bridge.word("iommu-map-mask", -1);
        int[] map = bridge.words("iommu-map");
        for (int at = 0; at < map.length; at += 4) {
            if (map[at] <= masked && masked < map[at] + map[at + 3]) {
                return id(map[at + 1], masked - map[at] + map[at + 2]);
            }
        }
        return Optional.empty();
    }

    private Optional<EndpointId> named(FlatTree.Node node) {
        int[] iommus = node.words("iommus");
        return iommus.length < 2 ? Optional.empty() : id(iommus[0], iommus[1]);
    }

    private Optional<EndpointId> id(int phandle, int id) {
        FlatTree.Node iommu = tree.byPhandle(phandle);
        return iommu == null || iommu.word("#iommu-cells", 0) != 1 ? Optional.empty()
                : Optional.of(new EndpointId(location(iommu), id));
    }

    /** Only drivers of virtio can drive it: the node must be one of theirs. */
    private Location location(FlatTree.Node iommu) {
        FlatTree.Node bus = Objects.requireNonNull(iommu.parent);
        if (isPci(bus) && iommu.isCompatible("virtio,pci-iommu")) {
            return PciAddress.of(segment(bus), iommu.words("reg")[0] >>> 8);
        }
        if (iommu.isCompatible("virtio,mmio") && iommu.has("dma-coherent")) {
            return Objects.requireNonNull(base(iommu));
        }
        throw new AssertionError(iommu.name + " is no node of a virtio-iommu");
    }

    private int segment(FlatTree.Node bridge) {
        return bridge.word("linux,pci-domain", bridges.indexOf(bridge));
    }

    private static @Nullable MmioBase base(FlatTree.Node node) {
        FlatTree.Node bus = node.parent;
        if (bus == null || isPci(bus) || !node.has("reg") || bus.word("#size-cells", 1) == 0) {
            return null;
        }
        int[] reg = node.words("reg");
        return new MmioBase(bus.word("#address-cells", 2) == 1
                ? Integer.toUnsignedLong(reg[0]) : (long) reg[0] << 32 | Integer.toUnsignedLong(reg[1]));
    }

    private static boolean isPci(FlatTree.Node node) {
        return node.text("device_type").equals("pci\0");
    }
}
