// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;

/**
 * What a virtio-iommu does, written from the text of virtio 1.4, section 5.13, and from the choices that this project
 * has made where the text leaves one. It shares no code with the device, and is as slow as it is simple.
 */
final class IommuModel {

    /** What translations consist of. */
    private static final long PAGE = 4096;

    /** What an IOMMU is built with; without its feature a range is everything. */
    record Setup(Set<Integer> offered, long granule, long inputStart, long inputEnd, int domainStart, int domainEnd,
            int probeSize, boolean bootBypass, boolean bypassAfterReset, long mappingLimit,
            Map<Integer, List<Reserved>> endpoints) {
    }

    /** A property of an endpoint. */
    record Reserved(long start, long end, boolean msi) {
    }

    /** One MAP request that succeeded. */
    record Mapping(long end, long physStart, int flags) {
    }

    /** How a request comes back: its status, the properties before it, and how many mappings it removed. */
    static final class Outcome {

        static final Outcome UNANSWERED = of(Spec.UNANSWERED);

        final int status;
        final long removed;
        final byte[] properties;

        Outcome(int status, long removed, byte[] properties) {
            this.status = status;
            this.removed = removed;
            this.properties = properties;
        }

        static Outcome of(int status) {
            return new Outcome(status, 0, new byte[0]);
        }
    }

    /** A domain exists as long as somebody is attached. */
    static final class Domain {

        final boolean bypass;
        final Set<Integer> endpoints = new HashSet<>();
        final NavigableMap<Long, Mapping> mappings = new TreeMap<>(Long::compareUnsigned);

        Domain(boolean bypass) {
            this.bypass = bypass;
        }
    }

    private final Setup setup;
    private final Map<Integer, Domain> domains = new TreeMap<>();
    private final Map<Integer, Integer> attachments = new HashMap<>();
    private final Set<Integer> blocked = new HashSet<>();
    private final Set<Integer> barred = new HashSet<>();
    private final MirrorRefusal refusal = new MirrorRefusal();
    private Set<Integer> negotiated = Set.of();
    private boolean bypass;

    IommuModel(Setup setup) {
        this.setup = setup;
        this.bypass = setup.bootBypass;
    }

    // What happens to the device

    void negotiate(Set<Integer> features) {
        negotiated = features;
    }

    /** A reset of the device alone, by its driver or from outside. Every endpoint has a device at work. */
    void reset() {
        if (setup.bypassAfterReset) {
            blocked.retainAll(barred);
        } else {
            blocked.addAll(attachments.keySet());
        }
        detachAll();
    }

    void resetSystem() {
        bypass = setup.bootBypass;
        reset();
    }

    void endpointReset(int endpoint) {
        if (!barred.contains(endpoint)) {
            blocked.remove(endpoint);
        }
    }

    /** A host that was expelled has left. */
    void mirrorLeft() {
        barred.clear();
    }

    boolean hasExpelled() {
        return !barred.isEmpty();
    }

    void writeBypass(int value) {
        if (negotiated.contains(Spec.F_BYPASS_CONFIG) && (value & 0xff) < 2) {
            bypass = (value & 0xff) == 1;
        }
    }

    int bypass() {
        return setup.offered.contains(Spec.F_BYPASS_CONFIG) && bypass ? 1 : 0;
    }

    /** To be set for one request; cleared after it. */
    MirrorRefusal refusal() {
        return refusal;
    }

    // What one may see

    Map<Integer, Domain> domains() {
        return domains;
    }

    Map<Integer, Integer> attachments() {
        return attachments;
    }

    long mappings() {
        return domains.values().stream().mapToLong(domain -> domain.mappings.size()).sum();
    }

    Seen see(int endpoint, long address, boolean write) {
        Integer number = attachments.get(endpoint);
        if (number == null) {
            return bypass() == 1 && !blocked.contains(endpoint)
                    ? seeUnmapped(endpoint, address, write) : Seen.refused(TranslateResult.NO_DOMAIN);
        }
        Domain domain = Objects.requireNonNull(domains.get(number));
        if (domain.bypass) {
            return seeUnmapped(endpoint, address, write);
        }
        Map.Entry<Long, Mapping> below = domain.mappings.floorEntry(address);
        if (below != null && Long.compareUnsigned(address, below.getValue().end) <= 0) {
            Mapping mapping = below.getValue();
            boolean allowed = (mapping.flags & (write ? Spec.MAP_F_WRITE : Spec.MAP_F_READ)) != 0;
            return allowed
                    ? Seen.at(address - below.getKey() + mapping.physStart, below.getKey(), mapping.end,
                            mapping.flags & Spec.READ_WRITE)
                    : Seen.refused(TranslateResult.NOT_PERMITTED);
        }
        return seeReserved(endpoint, address, write);
    }

    /** In bypass: what is in no page of a reserved region means itself. */
    private Seen seeUnmapped(int endpoint, long address, boolean write) {
        long first = 0;
        long last = -1;
        for (Reserved region : regions(endpoint)) {
            long start = region.start & -PAGE;
            long end = region.end | PAGE - 1;
            if (overlap(start, end, address, address)) {
                return seeReserved(endpoint, address, write);
            }
            if (Long.compareUnsigned(end, address) < 0) {
                first = Long.compareUnsigned(first, end + 1) < 0 ? end + 1 : first;
            } else {
                last = Long.compareUnsigned(last, start - 1) > 0 ? start - 1 : last;
            }
        }
        return Seen.at(address, first, last, Spec.READ_WRITE);
    }

    /** Where nothing is mapped: a message may pass, and nothing else. */
    private Seen seeReserved(int endpoint, long address, boolean write) {
        for (Reserved region : regions(endpoint)) {
            if (region.msi && overlap(region.start, region.end, address, address)) {
                return write ? Seen.at(address, region.start, region.end, ExtentSink.MESSAGES)
                        : Seen.refused(TranslateResult.NOT_PERMITTED);
            }
        }
        return Seen.refused(TranslateResult.NO_MAPPING);
    }

    // Requests

    Outcome serve(byte[] request, int writableLength) {
        Outcome outcome = answer(request, writableLength);
        refusal.call = 0;
        return outcome;
    }

    private Outcome answer(byte[] request, int writableLength) {
        if (request.length < 4 || writableLength < Spec.TAIL) {
            return Outcome.UNANSWERED;
        }
        int type = request[0] & 0xff;
        int size = Spec.readableSize(type);
        if (size == 0 || request.length < size || !isAvailable(type)) {
            return Outcome.UNANSWERED;
        }
        ByteBuffer fields = ByteBuffer.wrap(request).order(ByteOrder.LITTLE_ENDIAN);
        return switch (type) {
            case Spec.ATTACH -> Outcome.of(
                    attach(fields.getInt(4), fields.getInt(8), fields.getInt(12), fields.getInt(16)));
            case Spec.DETACH -> Outcome.of(detach(fields.getInt(4), fields.getInt(8)));
            case Spec.MAP -> Outcome.of(map(fields.getInt(4), fields.getLong(8), fields.getLong(16),
                    fields.getLong(24), fields.getInt(32)));
            case Spec.UNMAP -> unmap(fields.getInt(4), fields.getLong(8), fields.getLong(16), fields.getInt(24));
            default -> probe(fields.getInt(4), writableLength);
        };
    }

    private boolean isAvailable(int type) {
        return switch (type) {
            case Spec.MAP, Spec.UNMAP -> negotiated.contains(Spec.F_MAP_UNMAP);
            case Spec.PROBE -> negotiated.contains(Spec.F_PROBE);
            default -> true;
        };
    }

    private int attach(int number, int endpoint, int flags, int reserved) {
        int known = negotiated.contains(Spec.F_BYPASS_CONFIG) ? Spec.ATTACH_F_BYPASS : 0;
        if (reserved != 0 || (flags & ~known) != 0) {
            return Spec.INVAL;
        }
        if (!setup.endpoints.containsKey(endpoint)) {
            return Spec.NOENT;
        }
        if (barred.contains(endpoint)) {
            return Spec.UNSUPP;
        }
        Domain domain = domains.get(number);
        if (domain == null && !inDomainRange(number)) {
            return Spec.RANGE;
        }
        if (domain != null && domain.bypass != (flags == Spec.ATTACH_F_BYPASS)) {
            return Spec.INVAL;
        }
        if (domain != null && !domain.endpoints.contains(endpoint) && hasMappingsIn(domain, endpoint)) {
            return Spec.UNSUPP;
        }
        if (domain != null && domain.endpoints.contains(endpoint)) {
            return Spec.OK;
        }
        return move(number, endpoint, domain, flags == Spec.ATTACH_F_BYPASS);
    }

    private int move(int number, int endpoint, @Nullable Domain domain, boolean asBypass) {
        int calls = !refusal.endpoints.contains(endpoint) ? 0
                : 1 + (domain == null || isMirrored(domain) ? 0 : domain.mappings.size());
        if (refusal.call > 0 && refusal.call <= calls) {
            return refusal.status;
        }
        Domain former = domains.get(attachments.getOrDefault(endpoint, -1));
        boolean mirrored = former != null && isMirrored(former);
        leave(endpoint);
        domains.computeIfAbsent(number, ignored -> new Domain(asBypass)).endpoints.add(endpoint);
        attachments.put(endpoint, number);
        blocked.remove(endpoint);
        boolean takesBack = former != null && mirrored && calls > 0 && !isMirrored(former)
                && !former.mappings.isEmpty();
        if (takesBack && refusal.call == calls + 1) {
            expel();
            return Spec.DEVERR;
        }
        return Spec.OK;
    }

    private boolean isMirrored(Domain domain) {
        return domain.endpoints.stream().anyMatch(refusal.endpoints::contains);
    }

    /** What the host stands for reaches nothing until it leaves. */
    private void expel() {
        refusal.endpoints.forEach(this::leave);
        blocked.addAll(refusal.endpoints);
        barred.addAll(refusal.endpoints);
    }

    private int detach(int number, int endpoint) {
        if (!setup.endpoints.containsKey(endpoint)) {
            return Spec.NOENT;
        }
        Integer attached = attachments.get(endpoint);
        if (attached == null || attached != number) {
            return Spec.INVAL;
        }
        leave(endpoint);
        return Spec.OK;
    }

    private int map(int number, long start, long end, long physStart, int flags) {
        int known = Spec.READ_WRITE | (negotiated.contains(Spec.F_MMIO) ? Spec.MAP_F_MMIO : 0);
        if ((flags & ~known) != 0) {
            return Spec.INVAL;
        }
        Domain domain = domains.get(number);
        if (domain == null) {
            return Spec.NOENT;
        }
        if (domain.bypass) {
            return Spec.INVAL;
        }
        long physEnd = physStart + (end - start);
        boolean aligned = start % setup.granule == 0 && physStart % setup.granule == 0
                && (end + 1) % setup.granule == 0;
        if (Long.compareUnsigned(start, end) > 0 || Long.compareUnsigned(physStart, physEnd) > 0 || !aligned
                || !inInputRange(start, end)) {
            return Spec.RANGE;
        }
        if (isReserved(domain, start, end) || !touched(domain, start, end).isEmpty()) {
            return Spec.INVAL;
        }
        if (mappings() >= setup.mappingLimit) {
            return Spec.NOMEM;
        }
        if (refusal.call == 1 && isMirrored(domain)) {
            return refusal.status;
        }
        domain.mappings.put(start, new Mapping(end, physStart, flags));
        return Spec.OK;
    }

    private Outcome unmap(int number, long start, long end, int reserved) {
        if (reserved != 0) {
            return Outcome.of(Spec.INVAL);
        }
        Domain domain = domains.get(number);
        if (domain == null) {
            return Outcome.of(Spec.NOENT);
        }
        if (domain.bypass) {
            return Outcome.of(Spec.INVAL);
        }
        if (Long.compareUnsigned(start, end) > 0) {
            return Outcome.of(Spec.RANGE);
        }
        List<Long> affected = touched(domain, start, end);
        for (long key : affected) {
            Mapping mapping = Objects.requireNonNull(domain.mappings.get(key));
            if (Long.compareUnsigned(key, start) < 0 || Long.compareUnsigned(mapping.end, end) > 0) {
                return Outcome.of(Spec.RANGE);
            }
        }
        long before = mappings();
        affected.forEach(domain.mappings::remove);
        boolean refused = refusal.call == 1 && isMirrored(domain) && !affected.isEmpty();
        if (refused) {
            expel();
        }
        return new Outcome(refused ? Spec.DEVERR : Spec.OK, before - mappings(), new byte[0]);
    }

    private Outcome probe(int endpoint, int writableLength) {
        List<Reserved> regions = setup.endpoints.get(endpoint);
        boolean room = writableLength >= setup.probeSize + Spec.TAIL;
        ByteBuffer bytes = ByteBuffer.allocate(room ? setup.probeSize : writableLength - Spec.TAIL)
                .order(ByteOrder.LITTLE_ENDIAN);
        if (regions != null && room) {
            for (Reserved region : regions) {
                bytes.putShort((short) 1).putShort((short) 20).put((byte) (region.msi ? 1 : 0))
                        .put(new byte[3]).putLong(region.start).putLong(region.end);
            }
        }
        return new Outcome(regions == null ? Spec.NOENT : room ? Spec.OK : Spec.INVAL, 0, bytes.array());
    }

    // Pieces

    private void detachAll() {
        List.copyOf(attachments.keySet()).forEach(this::leave);
        negotiated = Set.of();
    }

    private void leave(int endpoint) {
        Integer number = attachments.remove(endpoint);
        Domain domain = number == null ? null : domains.get(number);
        if (domain != null) {
            domain.endpoints.remove(endpoint);
            if (domain.endpoints.isEmpty()) {
                domains.remove(number);
            }
        }
    }

    private boolean isReserved(Domain domain, long start, long end) {
        return domain.endpoints.stream().flatMap(endpoint -> regions(endpoint).stream())
                .anyMatch(region -> overlap(region.start, region.end, start, end));
    }

    private boolean hasMappingsIn(Domain domain, int endpoint) {
        return regions(endpoint).stream().anyMatch(region -> !touched(domain, region.start, region.end).isEmpty());
    }

    private List<Reserved> regions(int endpoint) {
        return setup.endpoints.getOrDefault(endpoint, List.of());
    }

    private static List<Long> touched(Domain domain, long start, long end) {
        List<Long> keys = new ArrayList<>();
        domain.mappings.forEach((key, mapping) -> {
            if (overlap(key, mapping.end, start, end)) {
                keys.add(key);
            }
        });
        return keys;
    }

    private boolean inInputRange(long start, long end) {
        return !setup.offered.contains(Spec.F_INPUT_RANGE)
                || (Long.compareUnsigned(setup.inputStart, start) <= 0
                        && Long.compareUnsigned(end, setup.inputEnd) <= 0);
    }

    private boolean inDomainRange(int number) {
        return !setup.offered.contains(Spec.F_DOMAIN_RANGE)
                || (Integer.compareUnsigned(setup.domainStart, number) <= 0
                        && Integer.compareUnsigned(number, setup.domainEnd) <= 0);
    }

    private static boolean overlap(long start, long end, long otherStart, long otherEnd) {
        return Long.compareUnsigned(start, otherEnd) <= 0 && Long.compareUnsigned(otherStart, end) <= 0;
    }
}
