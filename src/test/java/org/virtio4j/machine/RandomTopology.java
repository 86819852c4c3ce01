// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A topology made of random numbers, and the places worth asking for. */
final class RandomTopology {

    /** How many PCI segments there are at most; they are the first ones. */
    static final int SEGMENTS = 3;

    private static final int MOST_IOMMUS = 4;
    private static final int MOST_PARTS = 6;

    private final Random random;
    private final List<IommuScope> scopes = new ArrayList<>();
    private final Set<Location> taken = new HashSet<>();
    private final List<PciRange> ranges = new ArrayList<>();
    private final List<Location> asked = new ArrayList<>();
    private final Topology topology;

    RandomTopology(Random random) {
        this.random = random;
        int iommus = 1 + random.nextInt(MOST_IOMMUS);
        for (int i = 0; i < iommus; i++) {
            scopes.add(scope());
        }
        topology = Topology.of(scopes);
    }

    Topology topology() {
        return topology;
    }

    /** The devices at the edges of all parts, those next to them, the IOMMUs, and some others. */
    List<Location> asked() {
        return asked;
    }

    /** Where IOMMUs and endpoints lie that are not on PCI. */
    Stream<MmioBase> windows() {
        return asked.stream().flatMap(place -> place instanceof MmioBase base ? Stream.of(base) : Stream.empty());
    }

    private IommuScope scope() {
        Location location = ask(freeLocation());
        IommuScope scope = IommuScope.at(location);
        long number = random.nextInt(0x100);
        for (int left = random.nextInt(MOST_PARTS); left > 0; left--) {
            if (random.nextBoolean()) {
                PciRange range = range((int) number);
                if (range != null) {
                    scope = scope.with(range);
                    number += range.bdfEnd() - range.bdfStart() + 1L;
                }
            } else {
                MmioBase base = (MmioBase) ask(freeBase());
                scope = scope.with(new MmioEndpoint(base, (int) number++));
            }
            number += random.nextInt(3) * (long) random.nextInt(0x1000_0000);
        }
        return scope;
    }

    /** Functions that no range has yet; null if the first one is in a range. */
    private @Nullable PciRange range(int endpoint) {
        int segment = segment();
        int start = random.nextInt(4) == 0 ? 0 : random.nextInt(0x1_0000);
        int end = random.nextInt(3) == 0 ? 0xffff : Math.min(0xffff, start + random.nextInt(0x200));
        for (PciRange other : ranges) {
            if (other.contains(PciAddress.of(segment, start))) {
                return null;
            }
            if (other.segment() == segment && other.bdfStart() > start) {
                end = Math.min(end, other.bdfStart() - 1);
            }
        }
        for (int near : new int[] {start - 1, start, start + random.nextInt(end - start + 1), end, end + 1}) {
            if (near >= 0 && near <= 0xffff) {
                ask(PciAddress.of(segment, near));
            }
        }
        PciRange range = new PciRange(segment, start, end, endpoint);
        ranges.add(range);
        return range;
    }

    private Location freeLocation() {
        if (random.nextInt(3) == 0) {
            return freeBase();
        }
        PciAddress address;
        do {
            address = PciAddress.of(segment(), random.nextInt(0x100));
        } while (!taken.add(address));
        return address;
    }

    private MmioBase freeBase() {
        MmioBase base;
        do {
            base = new MmioBase((random.nextBoolean() ? random.nextInt(0x1000) : random.nextLong()) * 0x200);
        } while (!taken.add(base));
        return base;
    }

    private int segment() {
        return random.nextInt(SEGMENTS);
    }

    private Location ask(Location location) {
        asked.add(location);
        return location;
    }
}
