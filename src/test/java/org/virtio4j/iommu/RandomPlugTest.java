// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.Access;

/** Endpoints, groups, claims and limits against {@link PlugModel}, at random. */
class RandomPlugTest extends IommuTests {

    private static final int STEPS = 3_000;
    private static final int[] IDS = {0x11, 0x21, 0x12, 0x22, 0x31, 0x13, 0x23};
    private static final int PAGES = 6;
    private static final long SIZE = 0x1000;
    private static final long RAM = 0x10_0000;
    private static final ReservedRegions HOLE = ReservedRegions.of(new ReservedRegion(PlugModel.HOLE * SIZE,
            PlugModel.HOLE * SIZE + SIZE - 1, ReservedRegion.Kind.RESERVED));

    private final PlugModel model = new PlugModel();
    private final List<EndpointClaim> claims = new ArrayList<>();

    /** Of endpoints that were unplugged. */
    private final List<Translator> former = new ArrayList<>();
    private String step = "";

    @Test
    @DisplayName("An IOMMU whose endpoints come and go behaves as the model says, step by step")
    void shouldBehaveAsTheModelSays() {
        long seed = Seeds.next();
        Random random = new Random(seed);
        IommuMachine machine = start(VirtioIommu.builder().bootBypass(false).maxDomains(PlugModel.MOST_DOMAINS)
                .maxMappingsPerDomain(PlugModel.MOST_OF_DOMAIN).maxMappings(PlugModel.MOST_MAPPINGS)
                .group(0x11, 0x21, 0x31).group(0x12, 0x22).group(0x13, 0x23));
        for (int i = 0; i < STEPS; i++) {
            step = "-Dvirtio4j.seed=" + seed + ", step " + i + ": ";
            act(machine, random);
            check(machine);
        }
    }

    private void act(IommuMachine machine, Random random) {
        int id = IDS[random.nextInt(IDS.length)];
        int domain = 1 + random.nextInt(4);
        int page = random.nextInt(PAGES);
        switch (random.nextInt(16)) {
            case 0, 1 -> plug(machine, id);
            case 2 -> unplug(machine, id);
            case 3, 4, 5 -> attach(machine, domain, id, random.nextInt(8) == 0);
            case 6, 7 -> expect("detach", model.detach(domain, id), machine.status(Requests.detach(domain, id)));
            case 8, 9, 10 -> expect("map", model.map(domain, page), machine.status(Requests.map(domain, page * SIZE,
                    page * SIZE + SIZE - 1, RAM + page * SIZE)));
            case 11 -> expect("unmap", model.unmap(domain, page, page + 1),
                    machine.status(Requests.unmap(domain, page * SIZE, (page + 2) * SIZE - 1)));
            case 12 -> claim(machine, id);
            case 13 -> giveBack(random);
            case 14 -> writeBypass(machine, random.nextBoolean());
            default -> resetNowAndThen(machine, random);
        }
    }

    private void plug(IommuMachine machine, int id) {
        ReservedRegions regions = id > PlugModel.FIRST_WITH_HOLE ? HOLE : ReservedRegions.NONE;
        step += "plug " + id;
        if (model.places.containsKey(id)) {
            assertThrows(IllegalArgumentException.class, () -> machine.iommu().plug(id, regions), step);
            return;
        }
        machine.iommu().plug(id, regions);
        model.places.put(id, PlugModel.NOWHERE);
    }

    private void unplug(IommuMachine machine, int id) {
        step += "unplug " + id;
        if (!model.places.containsKey(id)) {
            assertThrows(IllegalArgumentException.class, () -> machine.iommu().unplug(id), step);
            return;
        }
        former.add(machine.iommu().translator(id));
        machine.iommu().unplug(id);
        model.unplug(id);
    }

    private void attach(IommuMachine machine, int domain, int id, boolean bypass) {
        int expected = model.attach(domain, id, bypass);
        expect("attach " + domain + " " + id, expected, machine.status(bypass ? Requests.attachBypass(domain, id)
                : Requests.attach(domain, id)));
    }

    private void claim(IommuMachine machine, int id) {
        step += "claim " + id;
        if (model.places.containsKey(id)) {
            Optional<EndpointClaim> claim = machine.iommu().claim(id);
            assertEquals(model.claim(id), claim.isPresent(), step);
            claim.ifPresent(claims::add);
        } else {
            assertThrows(IllegalArgumentException.class, () -> machine.iommu().claim(id), step);
        }
    }

    /** Of those that are in force there are as many as the model has; which is which, the ids say. */
    private void giveBack(Random random) {
        claims.removeIf(claim -> !claim.isHeld());
        assertEquals(model.claimed.size(), claims.size(), step);
        if (claims.size() == 1 || (claims.size() > 1 && random.nextInt(4) == 0)) {
            step += "give all back";
            claims.forEach(EndpointClaim::close);
            model.claimed.clear();
        }
    }

    private void writeBypass(IommuMachine machine, boolean on) {
        step += "bypass " + on;
        machine.writeBypass(on ? 1 : 0);
        model.bypass = on;
    }

    private void resetNowAndThen(IommuMachine machine, Random random) {
        if (random.nextInt(4) == 0) {
            step += "reset";
            machine.resetDevice();
            machine.start();
            model.reset();
        }
    }

    private void expect(String what, int expected, int status) {
        step += what;
        assertEquals(expected, status, step);
    }

    private void check(IommuMachine machine) {
        assertEquals(model.pages.size(), machine.iommu().liveDomains(), step);
        assertEquals(model.mappings(), machine.iommu().liveMappings(), step);
        for (int id : model.places.keySet()) {
            for (int page = 0; page < PAGES; page++) {
                check(machine, id, page);
            }
        }
        for (Translator old : former) {
            assertEquals(Seen.refused(TranslateResult.NO_DOMAIN), Seen.of(old, SIZE, Access.READ), step);
        }
        if (former.size() > 4) {
            former.removeFirst();
        }
    }

    private void check(IommuMachine machine, int id, int page) {
        Set<Integer> visible = model.visible(id);
        Seen seen = machine.see(id, page * SIZE, Access.WRITE);
        long expected = visible == null ? page * SIZE : RAM + page * SIZE;
        boolean reaches = visible == null ? page != PlugModel.HOLE || id < PlugModel.FIRST_WITH_HOLE
                : visible.contains(page);
        assertEquals(reaches, seen.result() == TranslateResult.OK, () -> step + ", then " + id + " at " + page);
        if (reaches) {
            assertEquals(expected, seen.physical(), step);
        }
    }
}
