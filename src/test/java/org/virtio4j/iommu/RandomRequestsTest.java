// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;

/**
 * Random request sequences, valid, nearly valid and nonsense, with resets and writes of the bypass byte in between,
 * against {@link IommuModel}: every answer byte for byte, and after every step what addresses mean, what mirrors hold,
 * and what is counted.
 */
class RandomRequestsTest extends IommuTests {

    private static final int STEPS = 4_000;

    private static final Set<Integer> ALL = Set.of(Spec.F_INPUT_RANGE, Spec.F_DOMAIN_RANGE, Spec.F_MAP_UNMAP,
            Spec.F_PROBE, Spec.F_MMIO, Spec.F_BYPASS_CONFIG);
    private static final IommuModel.Reserved MSI = new IommuModel.Reserved(0xfee0_0000L, 0xfeef_ffffL, true);
    private static final IommuModel.Reserved LOW = new IommuModel.Reserved(0x4000, 0x5fff, false);
    private static final IommuModel.Reserved ODD = new IommuModel.Reserved(0x9234, 0x9abc, false);
    private static final IommuModel.Reserved TOP = new IommuModel.Reserved(-0x2000, -1, false);
    private static final Map<Integer, List<IommuModel.Reserved>> ENDPOINTS =
            Map.of(8, List.of(), 9, List.of(LOW, MSI), 0x12345, List.of(ODD, TOP));

    /** IOMMUs of all sorts. */
    enum Configuration {
        USUAL(setup(0x1000, 1000), 0x1000),
        MANY_MAPPINGS(setup(0x1000, 1000), 0x1000),
        RANGES(new IommuModel.Setup(ALL, 0x1_0000, 0x2_0000, 0xff_ffff, 1, 3, 64, true, false, 1000, ENDPOINTS),
                0x1_0000),
        HINTS(setup(0x4000, 1000), 0x4020_4000L),
        FEW_MAPPINGS(setup(0x1000, 5), 0x1000),
        WITHOUT_BYPASS(without(Spec.F_BYPASS_CONFIG, Spec.F_MMIO), 0x1000),
        WITHOUT_PROBE_AND_RANGES(without(Spec.F_PROBE, Spec.F_INPUT_RANGE, Spec.F_DOMAIN_RANGE), 0x1000),
        WITHOUT_MAP(without(Spec.F_MAP_UNMAP), 0x1000),
        LETTER(new IommuModel.Setup(ALL, 0x1000, 0, -1, 0, -1, 512, true, true, 1000, ENDPOINTS), 0x1000);

        @SuppressWarnings("ImmutableEnumChecker") // its collections are immutable, or nobody else's
        private final IommuModel.Setup setup;
        private final long pageSizeMask;

        Configuration(IommuModel.Setup setup, long pageSizeMask) {
            this.setup = setup;
            this.pageSizeMask = pageSizeMask;
        }

        private static IommuModel.Setup setup(long granule, long limit) {
            return new IommuModel.Setup(ALL, granule, 0, -1, 0, -1, 128, false, false, limit, ENDPOINTS);
        }

        /** What is not offered has a range all the same, which must not count. */
        private static IommuModel.Setup without(Integer... bits) {
            Set<Integer> offered = new HashSet<>(ALL);
            offered.removeAll(Set.of(bits));
            return new IommuModel.Setup(offered, 0x1000, 0x3000, 0xffff, 2, 3, 128, true, false, 1000, ENDPOINTS);
        }

        /**
         * Over how many pages the mappings are spread: few, so that requests meet, or enough for a table with levels.
         */
        int pages() {
            return this == MANY_MAPPINGS ? 1200 : 16;
        }

        VirtioIommuBuilder builder() {
            VirtioIommuBuilder builder = VirtioIommu.builder().pageSizeMask(pageSizeMask)
                    .inputRange(setup.inputStart(), setup.inputEnd())
                    .domainRange(setup.domainStart(), setup.domainEnd())
                    .probeSize(setup.probeSize()).bootBypass(setup.bootBypass())
                    .bypassAfterReset(setup.bypassAfterReset()).maxMappings(setup.mappingLimit());
            setup.endpoints().forEach((id, regions) -> builder.endpoint(id, ReservedRegions.of(regions.stream()
                    .map(Configuration::region).toArray(ReservedRegion[]::new))));
            ALL.stream().filter(bit -> !setup.offered().contains(bit)).forEach(builder::without);
            return builder;
        }

        private static ReservedRegion region(IommuModel.Reserved region) {
            return new ReservedRegion(region.start(), region.end(),
                    region.msi() ? ReservedRegion.Kind.MSI : ReservedRegion.Kind.RESERVED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldBehaveAsTheModelSays(Configuration configuration) {
        List<MirrorMap> mirrors = List.of(new MirrorMap(ENDPOINTS.keySet()), new MirrorMap(Set.of(8, 9)));
        List<Long> removed = new ArrayList<>();
        VirtioIommuBuilder builder = configuration.builder()
                .listener(WhenServed.does((type, status, count) -> removed.add(type == Spec.UNMAP ? count : 0)));
        mirrors.forEach(mirror -> builder.mappingListener(mirror, mirror.ids()));
        new RandomRun(powerOn(builder), configuration.setup, configuration.pages(), mirrors, removed, Seeds.next())
                .play(STEPS);
    }

    @ParameterizedTest
    @EnumSource
    void shouldBehaveAsTheModelSaysWithoutMirrors(Configuration configuration) {
        List<Long> removed = new ArrayList<>();
        VirtioIommuBuilder builder = configuration.builder()
                .listener(WhenServed.does((type, status, count) -> removed.add(type == Spec.UNMAP ? count : 0)));
        RandomRun run = new RandomRun(powerOn(builder), configuration.setup, configuration.pages(), List.of(), removed,
                Seeds.next());
        run.play(STEPS);
        switch (configuration) {
            case USUAL -> run.assertWorthwhile(5);
            case MANY_MAPPINGS -> run.assertWorthwhile(100);
            default -> {
                // Some cannot have mappings, or each answer.
            }
        }
    }

    /** A host that mirrors the IOMMU for some endpoints, and refuses one call when told so. */
    static final class MirrorMap implements MappingListener {

        final Set<Integer> endpoints;
        final Map<Integer, Map<Long, IommuModel.Mapping>> mappings = new HashMap<>();

        /** What each endpoint is attached to; two domains while it moves, the new one last. */
        final Map<Integer, List<Integer>> attachments = new HashMap<>();
        boolean expelled;
        private int refusedCall;
        private Answer refusal = Answer.DONE;

        MirrorMap(Set<Integer> endpoints) {
            this.endpoints = endpoints;
        }

        int[] ids() {
            return endpoints.stream().mapToInt(Integer::intValue).toArray();
        }

        /** Begins anew, after it has left. */
        void forget() {
            mappings.clear();
            attachments.clear();
            expelled = false;
        }

        @Override
        public void expelled() {
            expelled = true;
        }

        void refuse(int call, Answer answer) {
            refusedCall = call;
            refusal = answer;
        }

        @Override
        public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
            if (--refusedCall == 0) {
                return refusal;
            }
            mappings.computeIfAbsent(domain, ignored -> new HashMap<>())
                    .put(virtStart, new IommuModel.Mapping(virtEnd, physStart, flags));
            return Answer.DONE;
        }

        @Override
        public Answer unmap(int domain, long virtStart, long virtEnd) {
            if (--refusedCall == 0) {
                return refusal;
            }
            mappings.computeIfPresent(domain, (ignored, all) -> {
                all.entrySet().removeIf(each -> Long.compareUnsigned(each.getKey(), virtStart) >= 0
                        && Long.compareUnsigned(each.getValue().end(), virtEnd) <= 0);
                return all.isEmpty() ? null : all;
            });
            return Answer.DONE;
        }

        @Override
        public Answer attach(int endpoint, int domain, boolean bypass) {
            if (--refusedCall == 0) {
                return refusal;
            }
            attachments.computeIfAbsent(endpoint, ignored -> new ArrayList<>()).add(domain);
            return Answer.DONE;
        }

        @Override
        public void detached(int endpoint, int domain) {
            attachments.computeIfPresent(endpoint, (ignored, all) -> {
                all.removeIf(each -> each == domain);
                return all.isEmpty() ? null : all;
            });
        }
    }
}
