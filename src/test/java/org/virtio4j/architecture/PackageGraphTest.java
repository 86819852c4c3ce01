// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.architecture.Findings.expectNone;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Packages of one module use each other in one direction only. */
class PackageGraphTest {

    private static final HousePlan PLAN = HousePlan.VIRTIO4J;
    private final House house = House.read();

    @Test
    void shouldHaveNoCircleOfPackages() {
        List<String> circles = new ArrayList<>();
        for (String module : house.modules()) {
            String circle = circle(house.packageUses(module));
            if (!circle.isEmpty()) {
                circles.add(module + ": " + circle);
            }
        }
        expectNone(circles, "Packages use each other in a circle. Move the type that is named least often down, or let"
                + " the lower package declare an interface that the upper one implements.");
    }

    @Test
    void shouldUseOnlyPackagesBefore() {
        Set<String> wrong = new TreeSet<>();
        house.modules().forEach(module -> wrong.addAll(
                againstOrder(PLAN.packagesOf(module), house.packageUses(module))));
        expectNone(wrong, "HousePlan gives the packages of these modules an order, from the bottom up. Follow it, or"
                + " change it there.");
    }

    /** Also where only Javadoc needs the import. */
    @Test
    void shouldImportOnlyFromPackagesBefore() {
        Set<String> wrong = new TreeSet<>();
        house.modules().forEach(module -> wrong.addAll(
                againstOrder(PLAN.packagesOf(module), house.packageImports(module))));
        expectNone(wrong, "An import of these goes against the order that HousePlan gives the packages, if only for"
                + " Javadoc. Say it without the name, or with the package before it in {@code}.");
    }

    @Test
    void shouldOrderThePackagesOfEachModuleThatHasSeveral() {
        List<String> unordered = house.modules().stream().filter(module -> house.packageUses(module).size() > 1
                && PLAN.packagesOf(module).isEmpty()).toList();
        expectNone(unordered, "These modules have more than one package. Give them a row in HousePlan.");
    }

    @Test
    void shouldPlanNoPackageThatIsMissing() {
        Set<String> missing = new TreeSet<>();
        house.modules().forEach(module -> PLAN.packagesOf(module).stream()
                .filter(planned -> !house.packageUses(module).containsKey(planned)).forEach(missing::add));
        expectNone(missing, "HousePlan has packages that are not there. Take them out of its rows.");
    }

    @Test
    void shouldNameTheClassesOfACircle() {
        String circle = circle(Map.of(
                "a", Map.of("b", Set.of("a.One uses b.Two")),
                "b", Map.of("c", Set.of("b.Two uses c.Three")),
                "c", Map.of("a", Set.of("c.Three uses a.One"))));
        assertTrue(List.of("a.One uses b.Two", "b.Two uses c.Three", "c.Three uses a.One").stream()
                .allMatch(circle::contains), circle);
    }

    @Test
    void shouldObjectToArrowsUpAndToPackagesWithoutAPlace() {
        Map<String, Map<String, Set<String>>> uses = Map.of(
                "low", Map.of("high", Set.of("low.One uses high.Two")),
                "high", Map.of(),
                "new", Map.of());
        assertEquals(Set.of("low must not use high: low.One uses high.Two", "new has no place in HousePlan"),
                againstOrder(List.of("low", "high"), uses));
    }

    private static String circle(Map<String, Map<String, Set<String>>> uses) {
        Map<String, Set<String>> graph = new TreeMap<>();
        uses.forEach((user, used) -> graph.put(user, used.keySet()));
        List<String> circle = Circles.shortest(graph);
        StringBuilder text = new StringBuilder(String.join(" -> ", circle));
        for (int i = 1; i < circle.size(); i++) {
            uses.getOrDefault(circle.get(i - 1), Map.of()).getOrDefault(circle.get(i), Set.of())
                    .forEach(use -> text.append("\n        ").append(use));
        }
        return text.toString();
    }

    private static Set<String> againstOrder(List<String> order, Map<String, Map<String, Set<String>>> uses) {
        Set<String> wrong = new TreeSet<>();
        if (order.isEmpty()) {
            return wrong;
        }
        uses.forEach((user, used) -> {
            if (!order.contains(user)) {
                wrong.add(user + " has no place in HousePlan");
            }
            used.forEach((other, types) -> {
                if (order.indexOf(other) > order.indexOf(user)) {
                    types.forEach(type -> wrong.add(user + " must not use " + other + ": " + type));
                }
            });
        });
        return wrong;
    }
}
