// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Java code that the documents show is the code of this package. */
class GuideTextTest {

    private static final Path HOME = Path.of(System.getProperty("virtio4j.home", ".."));
    private static final Path SOURCES = HOME.resolve("src/test/java/org/virtio4j/guide");
    private static final Pattern SHOWN = Pattern.compile("```java\n(.*?)\n```", Pattern.DOTALL);
    private static final Pattern COMPILED =
            Pattern.compile("\n *// guide: begin\n(.*?)\n *// guide: end", Pattern.DOTALL);

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "docs/embedding.md"})
    void shouldShowNothingThatIsNotCompiled(String document) throws IOException {
        Set<String> compiled = new TreeSet<>(compiled());
        List<String> shown = shown(document);
        assertTrue(!shown.isEmpty(), document);
        for (String code : shown) {
            assertTrue(compiled.contains(code), () -> document + " shows what no test compiles:\n" + code);
        }
    }

    @Test
    void shouldCompileNothingThatIsNotShown() throws IOException {
        Set<String> rest = new TreeSet<>(compiled());
        rest.removeAll(shown("README.md"));
        rest.removeAll(shown("docs/embedding.md"));
        assertEquals(Set.of(), rest);
    }

    private static List<String> shown(String document) throws IOException {
        return found(SHOWN, Files.readString(HOME.resolve(document)));
    }

    private static List<String> compiled() throws IOException {
        List<String> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(SOURCES, "*.java")) {
            files.forEach(file -> all.addAll(found(COMPILED, read(file))));
        }
        return all;
    }

    private static List<String> found(Pattern pattern, String text) {
        List<String> all = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            all.add(matcher.group(1).stripIndent().strip());
        }
        return all;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
