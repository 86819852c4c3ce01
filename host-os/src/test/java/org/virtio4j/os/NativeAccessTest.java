// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Who may make native calls, and who is told that another module makes them now. */
class NativeAccessTest {

    private static final String CALLING = "calling.module";
    private static final String FORMER = "former.module";

    private final Configuration modules = ModuleLayer.boot().configuration()
            .resolve(new Empty(), ModuleFinder.of(), Set.of(CALLING, FORMER));
    private final ModuleLayer.Controller controller = ModuleLayer.defineModulesWithOneLoader(modules,
            List.of(ModuleLayer.boot()), ClassLoader.getSystemClassLoader());

    @Test
    void shouldBeGrantedToTheModuleThatMakesTheCalls() {
        grant(CALLING);
        assertTrue(isGranted());
    }

    @Test
    void shouldBeGrantedWhereBothModulesMayMakeThem() {
        grant(CALLING);
        grant(FORMER);
        assertTrue(isGranted());
    }

    @Test
    void shouldGoTheSecondWayWhereNobodyMayMakeThem() {
        assertFalse(isGranted());
        assertFalse(NativeAccess.isGranted(module(CALLING), "module.that.is.not.there"));
    }

    @Test
    void shouldRefuseAndNameTheModuleWhereOnlyTheFormerOneMay() {
        grant(FORMER);
        IllegalCallerException refused = assertThrows(IllegalCallerException.class, this::isGranted);
        assertEquals("native access is granted to former.module, but calling.module makes the native calls;"
                + " start with --enable-native-access=calling.module instead", refused.getMessage());
    }

    @Test
    void shouldKnowNoFormerModuleOnTheClassPath() {
        assertTrue(NativeAccess.isGranted(NativeAccessTest.class.getModule(), NativeAccess.FORMER_MODULE),
                "the tests are to run with --enable-native-access");
    }

    private boolean isGranted() {
        return NativeAccess.isGranted(module(CALLING), FORMER);
    }

    @SuppressWarnings("restricted") // the modules are empty
    private void grant(String name) {
        controller.enableNativeAccess(module(name));
    }

    private Module module(String name) {
        return controller.layer().findModule(name).orElseThrow();
    }

    /** Finds two modules with nothing in them. */
    private static final class Empty implements ModuleFinder {

        private final Set<ModuleReference> all = Set.of(CALLING, FORMER).stream().map(Empty::reference)
                .collect(Collectors.toSet());

        @Override
        public Optional<ModuleReference> find(String name) {
            return all.stream().filter(module -> module.descriptor().name().equals(name)).findFirst();
        }

        @Override
        public Set<ModuleReference> findAll() {
            return all;
        }

        private static ModuleReference reference(String name) {
            return new ModuleReference(ModuleDescriptor.newModule(name).build(), URI.create("empty:" + name)) {
                @Override
                public ModuleReader open() {
                    throw new UnsupportedOperationException("nothing is in " + name);
                }
            };
        }
    }
}
