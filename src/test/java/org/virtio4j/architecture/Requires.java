// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a module descriptor says.
 *
 * @param module the name of the module
 * @param required the names of the modules that it requires
 * @param exported the packages that it exports to everybody
 */
record Requires(String module, Set<String> required, Set<String> exported) {

    private static final Pattern NAME = Pattern.compile("(?m)^(?:open )?module ([\\w.]+) \\{");
    private static final Pattern REQUIRED = Pattern.compile("(?m)^ *requires (?:static |transitive )*([\\w.]+);");

    private static final Pattern EXPORTED = Pattern.compile("(?m)^ *exports ([\\w.]+);");

    /** Reads the descriptor of a module: as the JDK does if it is compiled, else its source; empty if it has none. */
    static Optional<Requires> of(Path folder) {
        Path source = folder.resolve("src/main/java/module-info.java");
        Path classes = folder.resolve("target/classes");
        if (!Files.exists(source)) {
            return Optional.empty();
        }
        if (House.isCompiled(classes.resolve("module-info.class"), source)) {
            return ModuleFinder.of(classes).findAll().stream().map(found -> of(found.descriptor())).findAny();
        }
        try {
            return Optional.of(of(Files.readString(source)));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static Requires of(ModuleDescriptor descriptor) {
        return new Requires(descriptor.name(), descriptor.requires().stream().map(ModuleDescriptor.Requires::name)
                .filter(name -> !name.equals("java.base")).collect(Collectors.toSet()),
                descriptor.exports().stream().filter(exports -> !exports.isQualified())
                        .map(ModuleDescriptor.Exports::source).collect(Collectors.toSet()));
    }

    static Requires of(String source) {
        Matcher name = NAME.matcher(source);
        if (!name.find()) {
            throw new IllegalArgumentException("no module in " + source);
        }
        return new Requires(name.group(1), all(REQUIRED.matcher(source)), all(EXPORTED.matcher(source)));
    }

    private static Set<String> all(Matcher matcher) {
        Set<String> found = new TreeSet<>();
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }
}
