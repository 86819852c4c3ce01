// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.virtio4j.architecture.Findings.expectNone;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the documents name is there: types and their members, packages, folders, other documents and their headings. */
class DocumentTest {

    private static final Pattern TYPE = Pattern.compile("`([A-Z][a-z]+[A-Z]\\w*)(?:\\.\\w+)?`");
    private static final Pattern MEMBER = Pattern.compile("`([A-Z][a-z]+[A-Z]\\w*)\\.(\\w+)`");
    private static final Pattern SHORT_PACKAGE = Pattern.compile("`([a-z]+(?:\\.[a-z]+)*)`");
    private static final Pattern PACKAGE = Pattern.compile("\\b(org\\.virtio4j(?:\\.[a-z0-9]+)*)");
    private static final Pattern FOLDER = Pattern.compile("`([a-z][a-z0-9/-]*/)`");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s:#]*)(?:#([^)\\s]+))?\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");

    private final House house = House.read();

    @Test
    void shouldNameTypesThatExist() throws IOException {
        Set<String> names = new HashSet<>();
        house.types().forEach(type -> names.add(type.name().substring(type.name().lastIndexOf('.') + 1)));
        Set<String> missing = new TreeSet<>();
        Matcher named = TYPE.matcher(Files.readString(house.root().resolve("ARCHITECTURE.md")));
        while (named.find()) {
            if (!names.contains(named.group(1)) && !isOfJava(named.group(1))) {
                missing.add(named.group(1));
            }
        }
        expectNone(missing, "ARCHITECTURE.md names types that are not there. Write what they are called now.");
    }

    /** In ARCHITECTURE.md alone: other documents name members as they are in a guide's example, or those of Linux. */
    @Test
    void shouldNameMembersThatExist() throws IOException {
        Set<String> missing = new TreeSet<>();
        Matcher named = MEMBER.matcher(Files.readString(house.root().resolve("ARCHITECTURE.md")));
        while (named.find()) {
            List<Path> sources = sourcesOf(named.group(1));
            Pattern member = Pattern.compile(" " + named.group(2) + "[(,;]");
            boolean found = sources.isEmpty();
            for (Path source : sources) {
                found |= member.matcher(Files.readString(source)).find();
            }
            if (!found) {
                missing.add(named.group());
            }
        }
        expectNone(missing, "ARCHITECTURE.md names methods that are not there. Write what they are called now.");
    }

    /** ARCHITECTURE.md also names packages without {@code org.virtio4j}, if it gives them more than one word. */
    @Test
    void shouldNamePackagesThatExist() throws IOException {
        Set<String> known = new HashSet<>(Set.of("org.virtio4j"));
        house.types().forEach(type -> known.add(type.packageName()));
        house.modules().forEach(module ->
                Requires.of(house.folder(module)).ifPresent(read -> known.add(read.module())));
        Set<String> named = new TreeSet<>();
        Matcher shortened = SHORT_PACKAGE.matcher(Files.readString(house.root().resolve("ARCHITECTURE.md")));
        shortened.results().map(found -> found.group(1)).filter(name -> name.contains("."))
                .forEach(name -> named.add(name.startsWith("org.") ? name : "org.virtio4j." + name));
        for (Path document : documents()) {
            if (!document.endsWith("CHANGELOG.md")) {
                PACKAGE.matcher(Files.readString(document)).results().forEach(found -> named.add(found.group(1)));
            }
        }
        named.removeAll(known);
        expectNone(named, "The documents name packages or modules that are not there.");
    }

    @Test
    void shouldHaveARowForEachModule() throws IOException {
        Set<String> missing = new TreeSet<>();
        for (String document : List.of("ARCHITECTURE.md", "README.md")) {
            List<String> lines = Files.readAllLines(house.root().resolve(document));
            house.modules().stream().filter(module -> lines.stream()
                            .noneMatch(line -> line.startsWith("|") && line.contains("| `" + module + "/`")))
                    .forEach(module -> missing.add(document + " has no row for " + module));
        }
        expectNone(missing, "The tables of modules are not complete.");
    }

    @Test
    void shouldNameFoldersThatExist() throws IOException {
        Set<String> missing = new TreeSet<>();
        for (Path document : documents()) {
            Matcher named = FOLDER.matcher(Files.readString(document));
            while (named.find()) {
                if (!Files.isDirectory(house.root().resolve(named.group(1)))
                        && !Files.isDirectory(house.folder("benchmarks").resolve(named.group(1)))) {
                    missing.add(house.root().relativize(document) + " names " + named.group(1));
                }
            }
        }
        expectNone(missing, "These folders are not there.");
    }

    @Test
    void shouldLinkToWhatExists() throws IOException {
        Set<String> broken = new TreeSet<>();
        for (Path document : documents()) {
            Matcher link = LINK.matcher(Files.readString(document));
            while (link.find()) {
                Path target = link.group(1).isEmpty() ? document : document.resolveSibling(link.group(1));
                if (!Files.exists(target) || (link.group(2) != null && !anchors(target).contains(link.group(2)))) {
                    broken.add(house.root().relativize(document) + " links to " + link.group());
                }
            }
        }
        expectNone(broken, "These links lead nowhere.");
    }

    private List<Path> sourcesOf(String type) throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String module : house.modules()) {
            for (Path file : House.javaFiles(house.folder(module).resolve("src"))) {
                if (file.endsWith(type + ".java")) {
                    sources.add(file);
                }
            }
        }
        return sources;
    }

    private static boolean isOfJava(String name) {
        return Object.class.getResource(name + ".class") != null;
    }

    /** The anchors that GitHub makes of headings. */
    private static Set<String> anchors(Path document) throws IOException {
        Set<String> anchors = new HashSet<>();
        Matcher heading = HEADING.matcher(Files.readString(document));
        while (heading.find()) {
            anchors.add(heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "")
                    .replace(' ', '-'));
        }
        return anchors;
    }

    private List<Path> documents() throws IOException {
        List<Path> all = new ArrayList<>();
        for (Path folder : List.of(house.root(), house.root().resolve("docs"))) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.md")) {
                files.forEach(all::add);
            }
        }
        return all;
    }
}
