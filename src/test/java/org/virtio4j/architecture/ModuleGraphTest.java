// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.architecture.Findings.expectNone;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Modules use only what lies below them in the plan of the house. */
class ModuleGraphTest {

    private static final HousePlan PLAN = HousePlan.VIRTIO4J;
    private final House house = House.read();

    @Test
    void shouldGiveEachModuleAFloor() {
        List<String> homeless = house.modules().stream().filter(module -> !PLAN.hasFloor(module)).toList();
        expectNone(homeless,
                "These modules have no floor. Add them to the table of HousePlan and to that of ARCHITECTURE.md.");
    }

    @Test
    void shouldPlanNoModuleThatIsMissing() {
        List<String> missing = PLAN.modules().stream().filter(module -> !house.modules().contains(module)).toList();
        expectNone(missing,
                "HousePlan has modules whose folder has no pom.xml. Take them out of its table.");
    }

    @Test
    void shouldRequireOnlyModulesBelow() {
        Set<String> wrong = new TreeSet<>();
        house.moduleGraph().forEach((module, used) -> used.stream().filter(other -> !PLAN.mayUse(module, other))
                .forEach(other -> wrong.add(PLAN.objection(module, other))));
        expectNone(wrong, "A module-info.java requires a module that is not below. Move what both need down, or let the"
                + " upper module pass it in through an interface of the lower one.");
    }

    /** Finds also what has no descriptor, and that a program uses another. */
    @Test
    void shouldNameOnlyTypesOfModulesBelow() {
        expectNone(wrongUses(PLAN, house.types()), "A type names one of a module that is not below. Move what both need"
                + " into a module under them: a program's shared code becomes a library of floor 5.");
    }

    /** A page that explains a class by one that is above it sends its readers up as code would. */
    @Test
    void shouldImportOnlyTypesOfModulesBelow() {
        expectNone(wrongImports(PLAN, house.types()), "An import names a type of a module that is not below, if only"
                + " for Javadoc. Say it without the name, or with the package before it in {@code}.");
    }

    @Test
    void shouldObjectWhenJavadocImportsFromAbove() {
        HouseType upper = new HouseType("machine", "org.virtio4j.machine.Slot", false, Set.of(), Set.of(), Set.of());
        HouseType lower = new HouseType("wire", "org.virtio4j.wire.Number", false, Set.of(), Set.of(),
                Set.of(upper.name()));
        assertEquals(Set.of("wire (floor 1) must not use machine (floor 4):"
                        + " org.virtio4j.wire.Number imports org.virtio4j.machine.Slot"),
                wrongImports(PLAN, List.of(upper, lower)));
    }

    @Test
    void shouldObjectWhenProgramUsesProgram() {
        HouseType command = new HouseType("launcher", "org.virtio4j.launcher.Main", false, Set.of(), Set.of(),
                Set.of());
        HouseType test = new HouseType("guest-suite", "org.virtio4j.guestsuite.BootTest", true,
                Set.of(command.name(), "java.lang.String"), Set.of(), Set.of());
        assertEquals(Set.of("guest-suite (floor 6) must not use launcher (floor 6):"
                        + " org.virtio4j.guestsuite.BootTest uses org.virtio4j.launcher.Main"),
                wrongUses(PLAN, List.of(command, test)));
    }

    private static Set<String> wrongUses(HousePlan plan, List<HouseType> types) {
        return wrong(plan, types, HouseType::uses, " uses ");
    }

    private static Set<String> wrongImports(HousePlan plan, List<HouseType> types) {
        return wrong(plan, types, HouseType::imports, " imports ");
    }

    private static Set<String> wrong(HousePlan plan, List<HouseType> types,
            Function<HouseType, Set<String>> named, String verb) {
        Map<String, String> modules = new HashMap<>();
        types.forEach(type -> modules.put(type.name(), type.module()));
        Set<String> wrong = new TreeSet<>();
        for (HouseType type : types) {
            for (String used : named.apply(type)) {
                String other = modules.getOrDefault(used, type.module());
                if (!plan.mayUse(type.module(), other)) {
                    wrong.add(plan.objection(type.module(), other) + ": " + type.name() + verb + used);
                }
            }
        }
        return wrong;
    }
}
