// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The Java code that the documents show is the code of this package, and says where all that it uses comes from: a
 * longer piece by its imports, a shorter one by the guide's table.
 */
class GuideTextTest {

    private static final Path HOME = Path.of(System.getProperty("virtio4j.home", ".."));
    private static final Path SOURCES = HOME.resolve("src/test/java/org/virtio4j/guide");
    private static final String README = "README.md";
    private static final String GUIDE = "docs/embedding.md";
    private static final int LONGEST_WITHOUT_IMPORTS = 8;
    private static final Pattern SHOWN = Pattern.compile("```java\n(.*?)\n```", Pattern.DOTALL);
    private static final Pattern COMPILED =
            Pattern.compile("\n *// guide: begin\n(.*?)\n *// guide: end", Pattern.DOTALL);
    private static final Pattern PACKAGE_ROW = Pattern.compile("\\| `([a-z.]+4j[a-z.]*|java[a-z.]*)` \\|([^|\n]*)\\|");
    private static final Pattern NAME = Pattern.compile("`(\\w+)`");

    /** What is shown of a source, and what that source imports. */
    private record Source(Set<String> imports, Printed code) {
    }

    @ParameterizedTest
    @ValueSource(strings = {README, GUIDE})
    void shouldShowNothingThatIsNotCompiled(String document) throws IOException {
        Set<String> compiled = compiled().stream().map(source -> source.code().body()).collect(Collectors.toSet());
        List<Printed> shown = shown(document);
        assertTrue(!shown.isEmpty(), document);
        for (Printed code : shown) {
            assertTrue(compiled.contains(code.body()),
                    () -> document + " shows what no test compiles:\n" + code.body());
        }
    }

    @Test
    void shouldCompileNothingThatIsNotShown() throws IOException {
        Set<String> rest = compiled().stream().map(source -> source.code().body())
                .collect(Collectors.toCollection(TreeSet::new));
        shown(README).forEach(code -> rest.remove(code.body()));
        shown(GUIDE).forEach(code -> rest.remove(code.body()));
        assertEquals(Set.of(), rest);
    }

    @Test
    void shouldShowTheImportsThatTheSourceHas() throws IOException {
        List<Source> compiled = compiled();
        for (Printed code : shown(GUIDE)) {
            Source source = compiled.stream().filter(one -> one.code().body().equals(code.body())).findFirst()
                    .orElseThrow();
            assertTrue(source.imports().containsAll(code.imports()), () -> code.imports() + "\n" + code.body());
        }
    }

    @Test
    void shouldSayWhereAllTypesComeFrom() throws IOException {
        Set<String> table = typesOfTheTable();
        for (Printed code : shown(GUIDE)) {
            Set<String> missing = code.needed();
            missing.removeAll(code.lines() > LONGEST_WITHOUT_IMPORTS ? code.importedNames() : table);
            assertEquals(Set.of(), missing, () -> code.lines() > LONGEST_WITHOUT_IMPORTS
                    ? "import it in:\n" + code.body() : "add it to the table of packages, for:\n" + code.body());
        }
    }

    @Test
    void shouldShowADeviceOfFifteenLines() throws IOException {
        Printed device = shown(GUIDE).stream().filter(code -> code.body().contains("class EntropyDevice"))
                .findFirst().orElseThrow();
        assertTrue(device.codeLines() <= 15, () -> device.codeLines() + " lines of code:\n" + device.body());
    }

    @Test
    void shouldShowClassesThatCompileAsPrinted(@TempDir Path folder) throws IOException {
        int classes = 0;
        for (Printed code : shown(GUIDE)) {
            if (code.isClass()) {
                classes++;
                assertEquals("", compile(folder, code));
            }
        }
        assertTrue(classes >= 3, "there are classes on the page");
    }

    /** What the compiler has to say to a piece that is the whole of a file. */
    private static String compile(Path folder, Printed code) {
        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler(), "this is no JDK");
        String text = code.imports().stream().map(name -> "import " + name + ";\n").collect(Collectors.joining())
                + code.body();
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///Shown.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        };
        StringWriter said = new StringWriter();
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        boolean compiled = compiler.getTask(said, null, null,
                List.of("-proc:none", "-d", folder.toString(), "-cp", classPath), null, List.of(file)).call();
        return compiled ? "" : said + text;
    }

    /** The rows name types that are there. */
    private static Set<String> typesOfTheTable() throws IOException {
        Set<String> types = new TreeSet<>();
        Matcher row = PACKAGE_ROW.matcher(Files.readString(HOME.resolve(GUIDE)));
        while (row.find()) {
            Matcher name = NAME.matcher(row.group(2));
            while (name.find()) {
                String type = row.group(1) + "." + name.group(1);
                assertTrue(Printed.exists(type), () -> type + " is in the table of packages, and nowhere else");
                types.add(name.group(1));
            }
        }
        return types;
    }

    private static List<Printed> shown(String document) throws IOException {
        return found(SHOWN, Files.readString(HOME.resolve(document)));
    }

    private static List<Source> compiled() throws IOException {
        List<Source> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(SOURCES, "*.java")) {
            for (Path file : files) {
                String text = read(file);
                Set<String> imports = Set.copyOf(Printed.of(text).imports());
                found(COMPILED, text).forEach(code -> all.add(new Source(imports, code)));
            }
        }
        return all;
    }

    private static List<Printed> found(Pattern pattern, String text) {
        List<Printed> all = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            all.add(Printed.of(matcher.group(1).stripIndent().strip()));
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
