// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.virtio4j.architecture.Findings.expectNone;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Restricted methods of the JDK are called in one module, so that native access is granted to that one alone. */
class NativeCallTest {

    private static final String HOME = "host-os";

    /** What finds and calls native code. */
    private static final Set<String> TYPES = Set.of("java.lang.foreign.Linker", "java.lang.foreign.SymbolLookup");

    /** The other restricted methods, by the end of what {@link HouseType#calls} has. */
    private static final List<String> METHODS = List.of("MemorySegment.reinterpret", "?.reinterpret",
            "AddressLayout.withTargetLayout", "?.withTargetLayout", "Controller.enableNativeAccess",
            "?.enableNativeAccess", "System.load", "System.loadLibrary", "Runtime.load", "?.loadLibrary");

    @Test
    void shouldCallRestrictedMethodsInOneModule() {
        Set<String> wrong = new TreeSet<>();
        for (HouseType type : House.read().types()) {
            if (!type.test() && !type.module().equals(HOME)) {
                restricted(type).forEach(used -> wrong.add(type.module() + ": " + type.name() + " uses " + used));
            }
        }
        expectNone(wrong, "Put the native call into " + HOME + ", and export it to the modules that need it.");
    }

    @Test
    void shouldSeeEachWayToNativeCode() {
        assertFalse(restricted(type(Set.of("java.lang.foreign.Linker"), Set.of())).isEmpty());
        assertFalse(restricted(type(Set.of(), Set.of("java.lang.foreign.MemorySegment.reinterpret"))).isEmpty());
        assertFalse(restricted(type(Set.of(), Set.of("java.lang.System.loadLibrary"))).isEmpty());
        assertFalse(restricted(
                type(Set.of(), Set.of("java.lang.ModuleLayer$Controller.enableNativeAccess"))).isEmpty());
        assertFalse(restricted(type(Set.of(), Set.of("?.reinterpret"))).isEmpty());
        assertEquals(Set.of(), restricted(type(Set.of("java.lang.foreign.MemorySegment"),
                Set.of("java.util.ServiceLoader.load", "java.lang.foreign.MemorySegment.get"))));
    }

    private static HouseType type(Set<String> uses, Set<String> calls) {
        return new HouseType("wire", "org.virtio4j.wire.Made", false, uses, calls, Set.of());
    }

    private static Set<String> restricted(HouseType type) {
        Set<String> found = new TreeSet<>();
        type.uses().stream().filter(TYPES::contains).forEach(found::add);
        type.calls().stream().filter(call -> METHODS.stream().anyMatch(method -> isOrEndsWith(call, method)))
                .forEach(found::add);
        return found;
    }

    private static boolean isOrEndsWith(String call, String method) {
        return call.equals(method) || call.endsWith("." + method) || call.endsWith("$" + method);
    }
}
