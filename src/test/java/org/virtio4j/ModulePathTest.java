// SPDX-License-Identifier: Apache-2.0
package org.virtio4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The packaged jars as an embedder has them: on the module path, each with its descriptor. */
class ModulePathTest {

    private static final Path LIB = Path.of(System.getProperty("virtio4j.home", ".."), "launcher", "target", "lib");

    /** The only modules that may use a library, and so may need an automatic module at run time. */
    private static final Set<String> WITH_LIBRARIES =
            Set.of("org.virtio4j.iommu", "org.virtio4j.endpoint", "org.virtio4j.serving");

    /** The modules of floors 5 and 6, which may use any library. */
    private static final Set<String> UPPER_FLOORS = Set.of("org.virtio4j.command", "org.virtio4j.serving",
            "org.virtio4j.replay", "org.virtio4j.harness", "org.virtio4j.launcher");

    @BeforeEach
    void needJars() {
        assumeTrue(Files.isDirectory(LIB), "no " + LIB + ": the jars are packaged by verify, not by test");
    }

    @Test
    void shouldReplayOnModulePath() throws IOException, InterruptedException {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        Process process = new ProcessBuilder(java.toString(), "-p", LIB.toString(),
                "--illegal-native-access=deny", "--enable-native-access=org.virtio4j.os",
                "-m", "org.virtio4j.launcher/org.virtio4j.launcher.Main", "replay")
                .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.contains("mismatches"), output);
        assertFalse(output.contains("WARNING"), output);
    }

    @Test
    void shouldSayWhichModuleMakesNativeCallsNow() throws IOException, InterruptedException {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        Process process = new ProcessBuilder(java.toString(), "-p", LIB.toString(),
                "--enable-native-access=" + "org.virtio4j.vmm",
                "-m", "org.virtio4j.launcher/org.virtio4j.launcher.Main", "replay")
                .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(2, process.waitFor(), output);
        assertFalse(output.contains("\tat "), output);
        assertTrue(output.contains("start with --enable-native-access=org.virtio4j.os instead"), output);
    }

    @Test
    void shouldKeepAutomaticModulesAwayFromWhatEverybodyNeeds() {
        ModuleFinder finder = ModuleFinder.of(LIB);
        Set<String> automatic = finder.findAll().stream().map(module -> module.descriptor())
                .filter(ModuleDescriptor::isAutomatic).map(ModuleDescriptor::name).collect(Collectors.toSet());
        List<String> users = finder.findAll().stream().map(module -> module.descriptor())
                .filter(descriptor -> descriptor.requires().stream()
                        .anyMatch(required -> automatic.contains(required.name())))
                .map(ModuleDescriptor::name).toList();
        assertEquals(WITH_LIBRARIES, Set.copyOf(users));
    }

    /** What an embedder of devices takes along: floors 0 to 4 use nothing but Agrona. */
    @Test
    void shouldKeepLibrariesOnTheUpperFloors() {
        Set<String> used = ModuleFinder.of(LIB).findAll().stream().map(module -> module.descriptor())
                .filter(descriptor -> descriptor.name().startsWith("org.virtio4j"))
                .filter(descriptor -> !UPPER_FLOORS.contains(descriptor.name()))
                .flatMap(descriptor -> descriptor.requires().stream()).map(ModuleDescriptor.Requires::name)
                .filter(name -> !name.matches("(org\\.virtio4j|java|jdk)\\..*|org\\.jspecify"))
                .collect(Collectors.toSet());
        assertEquals(Set.of("org.agrona"), used);
    }

    @Test
    void shouldExportNoInternals() {
        Set<String> exported = ModuleFinder.of(LIB).findAll().stream().map(module -> module.descriptor())
                .filter(descriptor -> descriptor.name().startsWith("org.virtio4j"))
                .flatMap(descriptor -> descriptor.exports().stream()).filter(exports -> !exports.isQualified())
                .map(ModuleDescriptor.Exports::source)
                .collect(Collectors.toSet());
        assertTrue(exported.stream().noneMatch(name -> name.startsWith("org.virtio4j.os")), exported.toString());
        assertFalse(exported.contains("org.virtio4j.iommu.table"), exported.toString());
    }
}
