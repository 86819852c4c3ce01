// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The modules as they lie in the project's folder, with their sources and what is compiled of them. */
final class House {

    /** The module that has its tests in the project's {@code src/test}, because they cross modules. */
    private static final String CROSSING = "conformance";

    private final Path root;
    private final List<String> modules;
    private final List<HouseType> types = new ArrayList<>();

    private House(Path root) throws IOException {
        this.root = root;
        this.modules = foldersWithPom(root);
        for (String module : modules) {
            Path folder = root.resolve(module);
            addTypes(module, false, folder.resolve("src/main/java"), folder.resolve("target/classes"));
            addTypes(module, true, (module.equals(CROSSING) ? root : folder).resolve("src/test/java"),
                    folder.resolve("target/test-classes"));
        }
    }

    /** The house as it was when the first test of this JVM asked for it. */
    static House read() {
        return OnlyHouse.HOUSE;
    }

    private static final class OnlyHouse {

        static final House HOUSE = read();

        private static House read() {
            try {
                return new House(Path.of(System.getProperty("virtio4j.home", "..")));
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
    }

    /** The folders of all modules, in alphabetical order. */
    List<String> modules() {
        return modules;
    }

    Path folder(String module) {
        return root.resolve(module);
    }

    Path root() {
        return root;
    }

    List<HouseType> types() {
        return types;
    }

    /** The types of a module that are no tests. */
    List<HouseType> mainTypes(String module) {
        return types.stream().filter(type -> type.module().equals(module) && !type.test()).toList();
    }

    /** For each module, the modules that its descriptor requires; where it has none, those whose types it names. */
    Map<String, Set<String>> moduleGraph() {
        Map<String, Requires> descriptors = new TreeMap<>();
        modules.forEach(module -> Requires.of(folder(module)).ifPresent(read -> descriptors.put(module, read)));
        Map<String, String> folders = new HashMap<>();
        descriptors.forEach((module, read) -> folders.put(read.module(), module));
        Map<String, Set<String>> graph = new TreeMap<>();
        for (String module : modules) {
            Requires read = descriptors.get(module);
            graph.put(module, read == null ? modulesNamedBy(module) : read.required().stream()
                    .filter(folders::containsKey).map(folders::get).collect(Collectors.toCollection(TreeSet::new)));
        }
        return graph;
    }

    private Set<String> modulesNamedBy(String module) {
        Map<String, String> owners = new HashMap<>();
        types.forEach(type -> owners.put(type.name(), type.module()));
        Set<String> named = new TreeSet<>();
        types.stream().filter(type -> type.module().equals(module)).forEach(type -> type.uses()
                .forEach(used -> named.add(owners.getOrDefault(used, module))));
        named.remove(module);
        return named;
    }

    /** For each package of a module, the packages of the same module that its code uses, each with the uses. */
    Map<String, Map<String, Set<String>>> packageUses(String module) {
        return packageArrows(module, HouseType::uses, " uses ");
    }

    /** The same for imports, also those that only Javadoc needs. */
    Map<String, Map<String, Set<String>>> packageImports(String module) {
        return packageArrows(module, HouseType::imports, " imports ");
    }

    private Map<String, Map<String, Set<String>>> packageArrows(String module,
            Function<HouseType, Set<String>> named, String verb) {
        Map<String, String> packages = new TreeMap<>();
        mainTypes(module).forEach(type -> packages.put(type.name(), type.packageName()));
        Map<String, Map<String, Set<String>>> uses = new TreeMap<>();
        for (HouseType type : mainTypes(module)) {
            Map<String, Set<String>> ofPackage = uses.computeIfAbsent(type.packageName(), name -> new TreeMap<>());
            for (String used : named.apply(type)) {
                String other = packages.getOrDefault(used, type.packageName());
                if (!other.equals(type.packageName())) {
                    ofPackage.computeIfAbsent(other, name -> new TreeSet<>()).add(type.name() + verb + used);
                }
            }
        }
        return uses;
    }

    static List<Path> javaFiles(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
        }
    }

    private static List<String> foldersWithPom(Path root) throws IOException {
        Set<String> folders = new TreeSet<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(root)) {
            for (Path folder : all) {
                if (Files.exists(folder.resolve("pom.xml"))) {
                    folders.add(folder.getFileName().toString());
                }
            }
        }
        return List.copyOf(folders);
    }

    private void addTypes(String module, boolean test, Path sources, Path classes) throws IOException {
        for (Path file : javaFiles(sources)) {
            String path = sources.relativize(file).toString().replace('\\', '/');
            String name = path.substring(0, path.length() - ".java".length());
            if (!name.endsWith("-info")) {
                types.add(type(module, test, name, file, classes));
            }
        }
    }

    private static HouseType type(String module, boolean test, String name, Path source, Path classes)
            throws IOException {
        String binaryName = name.replace('/', '.');
        Path compiled = classes.resolve(name + ".class");
        SourceFile text = SourceFile.of(Files.readString(source));
        if (!isCompiled(compiled, source)) {
            return new HouseType(module, binaryName, test, text.types(), text.calls(), text.imports());
        }
        Set<String> uses = new TreeSet<>();
        Set<String> calls = new TreeSet<>();
        String simple = name.substring(name.lastIndexOf('/') + 1);
        try (DirectoryStream<Path> files =
                     Files.newDirectoryStream(compiled.resolveSibling(""), simple + "{,$*}.class")) {
            for (Path file : files) {
                try (InputStream in = Files.newInputStream(file)) {
                    ClassFile read = ClassFile.read(in);
                    uses.addAll(read.types());
                    calls.addAll(read.calls());
                }
            }
        }
        return new HouseType(module, binaryName, test, uses, calls, text.imports());
    }

    /** Whether a class file is there and not older than its source. */
    static boolean isCompiled(Path compiled, Path source) {
        try {
            FileTime changed = Files.getLastModifiedTime(source);
            return Files.getLastModifiedTime(compiled).compareTo(changed) >= 0;
        } catch (NoSuchFileException missing) {
            return false;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
