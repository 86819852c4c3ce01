// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Draws requests: mostly ones that make sense in the state the model is in, or would but for one detail, so that each
 * check of a device is the one that decides now and then; and some that make no sense at all.
 */
final class RandomRequests {

    private static final int[] DOMAINS = {1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 4, -1};
    private static final int[] STRANGERS = {0, 7, 10, 0x1_0008, 0x2345, -1};

    private final IommuModel.Setup setup;
    private final int pages;
    private final IommuModel model;
    private final Random random;
    private final List<Integer> endpoints;
    private final long base;

    RandomRequests(IommuModel.Setup setup, int pages, IommuModel model, Random random) {
        this.setup = setup;
        this.pages = pages;
        this.model = model;
        this.random = random;
        this.endpoints = setup.endpoints().keySet().stream().sorted().toList();
        this.base = setup.offered().contains(Spec.F_INPUT_RANGE) ? setup.inputStart() : 0;
    }

    byte[] next() {
        // Where many mappings shall come together, what ends domains must be rare.
        int kind = pages > 100 && random.nextInt(30) != 0 ? 10 + random.nextInt(90) : random.nextInt(100);
        byte[] request;
        if (kind < 6) {
            request = Requests.attach(domain(), endpoint(), attachFlags(), seldom() ? random.nextInt() : 0);
        } else if (kind < 8) {
            request = detach();
        } else if (kind < 10) {
            request = Requests.probe(endpoint());
        } else if (kind < 60) {
            request = map();
        } else if (kind < 98) {
            request = unmap();
        } else {
            request = nonsense();
        }
        if (seldom()) {
            return Arrays.copyOf(request, random.nextInt(90));
        }
        return seldom() && request.length > 3
                ? Requests.with(request, 1 + random.nextInt(3), random.nextInt(256)) : request;
    }

    int writableFor(byte[] request) {
        int usual = Spec.TAIL + (request.length > 0 && request[0] == Spec.PROBE ? setup.probeSize() : 0);
        int room = switch (random.nextInt(12)) {
            case 0 -> random.nextInt(usual + 1);
            case 1 -> usual + random.nextInt(100);
            default -> usual;
        };
        return request.length == 0 ? Math.max(1, room) : room;
    }

    int existingEndpoint() {
        return endpoints.get(random.nextInt(endpoints.size()));
    }

    /** One that matters: in, at the ends of, or next to what is mapped or reserved, or anywhere. */
    long address() {
        return switch (random.nextInt(10)) {
            case 0 -> random.nextLong();
            case 1 -> edge() - 1;
            case 2, 3 -> edge();
            case 4, 5 -> mappedEdge();
            default -> page() + random.nextLong(setup.granule());
        };
    }

    private byte[] detach() {
        int endpoint = endpoint();
        Integer attached = model.attachments().get(endpoint);
        byte[] request = Requests.detach(attached != null && !seldom() ? attached : domain(), endpoint);
        return seldom() ? Requests.with(request, 12 + random.nextInt(8), 1) : request;
    }

    private byte[] map() {
        long granule = setup.granule();
        long start = seldom() ? edge() & -granule : page();
        long end = start + (1 + random.nextInt(3)) * granule - 1;
        long physStart = random.nextInt(64) * granule;
        int flags = random.nextInt(seldom() ? 16 : 4);
        switch (random.nextInt(60)) {
            case 0 -> start++;
            case 1 -> end--;
            case 2 -> physStart += granule / 2;
            case 3 -> end = start - granule - 1;
            case 4 -> physStart = -granule;
            case 5 -> end = -1;
            case 6 -> flags |= random.nextInt();
            default -> {
                // As good as it is.
            }
        }
        return Requests.map(domainInUse(), start, end, physStart, flags);
    }

    private byte[] unmap() {
        long granule = setup.granule();
        long start = seldom() ? edge() : page();
        long end = start + (1 + random.nextInt(6)) * granule - 1;
        switch (random.nextInt(100)) {
            case 0, 1 -> start++;
            case 5, 6 -> end--;
            case 2 -> end = start - 1 - random.nextInt(5);
            case 3 -> end = start + random.nextLong(pages * granule);
            case 4 -> start = 0;
            default -> {
                // As good as it is.
            }
        }
        return Requests.unmap(domainInUse(), start, end, seldom() ? 1 << random.nextInt(32) : 0);
    }

    private byte[] nonsense() {
        byte[] bytes = new byte[random.nextInt(100)];
        random.nextBytes(bytes);
        if (bytes.length > 0 && random.nextBoolean()) {
            bytes[0] = (byte) random.nextInt(8);
        }
        return bytes;
    }

    private int attachFlags() {
        return switch (random.nextInt(16)) {
            case 0 -> Spec.ATTACH_F_BYPASS;
            case 1 -> 1 << random.nextInt(32);
            default -> 0;
        };
    }

    /** Mostly one that exists. */
    private int domainInUse() {
        Integer attached = model.attachments().get(existingEndpoint());
        return attached == null || seldom() ? domain() : attached;
    }

    private int domain() {
        return DOMAINS[random.nextInt(DOMAINS.length)];
    }

    private int endpoint() {
        return seldom() ? STRANGERS[random.nextInt(STRANGERS.length)] : existingEndpoint();
    }

    private long page() {
        return base + random.nextInt(pages) * setup.granule();
    }

    /** Ends of the input range, of the address space and of reserved regions. */
    private long edge() {
        List<IommuModel.Reserved> regions = setup.endpoints().getOrDefault(existingEndpoint(), List.of());
        int choice = random.nextInt(6 + 2 * regions.size());
        return switch (choice) {
            case 0 -> 0;
            case 1 -> -setup.granule();
            case 2 -> -1;
            case 3 -> setup.inputStart();
            case 4 -> setup.inputEnd();
            case 5 -> setup.inputEnd() + 1;
            default -> {
                IommuModel.Reserved region = regions.get((choice - 6) / 2);
                yield choice % 2 == 0 ? region.start() : region.end() + random.nextInt(2);
            }
        };
    }

    private long mappedEdge() {
        long number = random.nextInt(3) + 1L;
        IommuModel.Domain domain = model.domains().get((int) number);
        if (domain == null || domain.mappings.isEmpty()) {
            return page();
        }
        Long start = domain.mappings.floorKey(page());
        if (start == null) {
            return domain.mappings.firstKey() - random.nextInt(2);
        }
        IommuModel.Mapping mapping = domain.mappings.get(start);
        return random.nextBoolean() || mapping == null ? start : mapping.end() + random.nextInt(2);
    }

    private boolean seldom() {
        return random.nextInt(16) == 0;
    }
}
